import { access, mkdir, mkdtemp } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { packagesIn, root } from './packages.js';
import { run } from './run.js';

/** @typedef {import('./packages.js').Package & { tarball: string }} PackedPackage */

/**
 * Packs every package that is published. A tarball that the folder has already is taken as it is, so that two scripts
 * of one CI run pack once: give a folder only where nothing was built in between.
 * @param {string} [folder] a new one by default
 * @returns {Promise<PackedPackage[]>}
 */
export async function packAll(folder) {
  const target = folder === undefined ? await mkdtemp(path.join(tmpdir(), 'sd-packed-')) : path.resolve(folder);
  await mkdir(target, { recursive: true });
  const packages = (await packagesIn('packages')).filter(({ manifest }) => !manifest.private);
  const packed = packages.map((one) => ({ ...one, tarball: path.join(target, tarballName(one.manifest)) }));
  const missing = [];
  for (const one of packed) if (!(await exists(one.tarball))) missing.push(`--workspace=${one.manifest.name}`);
  if (missing.length > 0) await run('npm', ['pack', '--pack-destination', target, ...missing], { cwd: root });
  return packed;
}

/** @param {{ name: string, version: string }} manifest */
function tarballName({ name, version }) {
  return `${name.replace('@', '').replace('/', '-')}-${version}.tgz`;
}

/** @param {string} file */
function exists(file) {
  return access(file).then(
    () => true,
    () => false,
  );
}
