import { access } from 'node:fs/promises';
import path from 'node:path';

/** @typedef {import('./packages.js').Package} Package */

const required = {
  license: 'Apache-2.0',
  type: 'module',
  sideEffects: false,
  publishConfig: { access: 'public', provenance: true },
};

/**
 * The problems of a package's package.json and files, after a build.
 * @param {Package} pkg
 * @param {{ engines: unknown, versions: ReadonlyMap<string, string> }} repository the versions of all packages by name
 * @returns {Promise<string[]>}
 */
export async function manifestProblems({ folder, manifest }, { engines, versions }) {
  const problems = [];
  for (const [key, value] of Object.entries({ ...required, engines })) {
    if (JSON.stringify(manifest[key]) !== JSON.stringify(value))
      problems.push(`"${key}" is not ${JSON.stringify(value)}`);
  }
  if (!manifest.description) problems.push('it has no "description"');
  if (!manifest.files?.includes('dist')) problems.push('"files" lacks "dist"');
  problems.push(...exportProblems(manifest.exports), ...rangeProblems(manifest, versions));
  for (const file of ['README.md', 'LICENSE', ...exportedFiles(manifest.exports)]) {
    await access(path.join(folder, file)).catch(() => problems.push(`${file} is missing`));
  }
  return problems;
}

/** @param {Record<string, any>} exported */
function exportProblems(exported = {}) {
  const problems = [];
  if (exported['.'] === undefined) problems.push('"exports" lacks "."');
  if (exported['./package.json'] !== './package.json') problems.push('"exports" lacks "./package.json"');
  for (const [entry, target] of Object.entries(exported)) {
    if (entry !== './package.json' && !typesFirst(target)) problems.push(`exports["${entry}"]: "types" is not first`);
  }
  return problems;
}

/**
 * Whether "types" comes first in an entry, or in each of its conditions (`node`, `browser`).
 * @param {any} target
 * @returns {boolean}
 */
function typesFirst(target) {
  if (typeof target !== 'object') return false;
  const [first] = Object.keys(target);
  return first === 'types' || Object.values(target).every(typesFirst);
}

/**
 * @param {any} target
 * @returns {string[]}
 */
function exportedFiles(target = {}) {
  return typeof target === 'string' ? [target] : Object.values(target).flatMap(exportedFiles);
}

/**
 * Packages are released together, so dependencies must have the same version. A peer range gives the oldest version that
 * works: with a narrower one, changesets would turn every minor release into a major one.
 * @param {any} manifest
 * @param {ReadonlyMap<string, string>} versions
 */
function rangeProblems(manifest, versions) {
  const problems = [];
  for (const kind of ['dependencies', 'peerDependencies', 'devDependencies']) {
    for (const [name, range] of Object.entries(manifest[kind] ?? {})) {
      const version = versions.get(name);
      if (version === undefined) continue;
      const good = kind === 'peerDependencies' ? /^>=\d+\.\d+\.\d+$/.test(range) : range === `^${version}`;
      if (!good) problems.push(`${kind}: the range ${range} of ${name} does not fit its version ${version}`);
    }
  }
  return problems;
}
