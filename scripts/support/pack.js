import { access, mkdir, mkdtemp } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { packagesIn, root } from './packages.js';
import { run } from './run.js';

/** @typedef {import('./packages.js').Package & { tarball: string }} PackedPackage */

/**
 * Packs every published package. Tarballs that are already in the folder are reused, so that two scripts of a CI run pack
 * only once: pass a folder only if nothing was built in between.
 * @param {string} [folder] a new one by default
 * @returns {Promise<PackedPackage[]>}
 */
export async function packAll(folder) {
  const target = folder === undefined ? await mkdtemp(path.join(tmpdir(), 'sd-packed-')) : path.resolve(folder);
  await mkdir(target, { recursive: true });
  const packages = (await packagesIn('packages')).filter(({ manifest }) => !manifest.private);
  const packed = packages.map((pkg) => ({ ...pkg, tarball: path.join(target, tarballName(pkg.manifest)) }));
  const missing = [];
  for (const { tarball, manifest } of packed) {
    if (!(await exists(tarball))) missing.push(`--workspace=${manifest.name}`);
  }
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
