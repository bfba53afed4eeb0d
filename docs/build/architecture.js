// The figures of architecture.md, as Mermaid: who imports whom in packages/*/src.
import { readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import ts from 'typescript';

const packages = path.resolve(import.meta.dirname, '../../packages');

/** @typedef {ReadonlyMap<string, ReadonlySet<string>>} Graph names, with the names that each imports */

/** @returns {Record<string, string>} by the names of their places in the page */
export function importFigures() {
  return {
    packages: mermaid(reduced(packageGraph()), '@sd/'),
    pipeline: mermaid(reduced(folderGraph('pipeline'))),
  };
}

function packageGraph() {
  return graphOf(readdirSync(packages), (name) =>
    sourcesIn(name)
      .flatMap(importsOf)
      .flatMap((imported) => /^@sd\/([^/]+)/.exec(imported)?.[1] ?? []),
  );
}

/**
 * The folders and files at the top of a package's `src`, without its entry, which imports them all.
 * @param {string} name
 */
function folderGraph(name) {
  const top = path.join(packages, name, 'src');
  const entryOf = (/** @type {string} */ file) => {
    const [first, ...rest] = path.relative(top, file).split(path.sep);
    return rest.length === 0 ? first.replace(/\.js$/, '.ts') : `${first}/`;
  };
  const sources = sourcesIn(name);
  const entries = [...new Set(sources.map(entryOf))].filter((entry) => entry !== 'index.ts');
  return graphOf(entries, (entry) =>
    sources
      .filter((file) => entryOf(file) === entry)
      .flatMap((file) => importsOf(file).map((imported) => entryOf(path.resolve(path.dirname(file), imported)))),
  );
}

/** @param {string} name */
function sourcesIn(name) {
  const top = path.join(packages, name, 'src');
  return readdirSync(top, { recursive: true, encoding: 'utf8' })
    .filter((file) => file.endsWith('.ts'))
    .map((file) => path.join(top, file));
}

/** What a file imports, including types and what it loads lazily. @param {string} file */
function importsOf(file) {
  return ts.preProcessFile(readFileSync(file, 'utf8')).importedFiles.map(({ fileName }) => fileName);
}

/**
 * @param {readonly string[]} names
 * @param {(name: string) => readonly string[]} importsFrom may give other names too
 * @returns {Graph}
 */
function graphOf(names, importsFrom) {
  return new Map(
    names.map((name) => [name, new Set(importsFrom(name).filter((other) => other !== name && names.includes(other)))]),
  );
}

/** Leaves out each arrow that a longer way implies. @param {Graph} graph @returns {Graph} */
function reduced(graph) {
  return new Map(
    [...graph].map(([name, imports]) => {
      const implied = new Set([...imports].flatMap((other) => [...reachable(graph, other)]));
      return [name, new Set([...imports].filter((other) => !implied.has(other)))];
    }),
  );
}

/** All that a name imports, directly or through others. @param {Graph} graph @param {string} name @returns {Set<string>} */
function reachable(graph, name) {
  return new Set([...(graph.get(name) ?? [])].flatMap((other) => [other, ...reachable(graph, other)]));
}

/** @param {Graph} graph @param {string} prefix of the names in the figure */
function mermaid(graph, prefix = '') {
  const arrows = [...graph].flatMap(([from, imports]) => [...imports].map((to) => [from, to])).sort();
  const names = [...new Set(arrows.flat())].sort();
  const id = (/** @type {string} */ name) => name.replace(/\W/g, '_');
  const lines = [
    ...names.map((name) => `${id(name)}["${prefix}${name}"]`),
    ...arrows.map(([from, to]) => `${id(from)} --> ${id(to)}`),
  ];
  return ['```mermaid', 'flowchart TD', ...lines.map((line) => `  ${line}`), '```'].join('\n');
}
