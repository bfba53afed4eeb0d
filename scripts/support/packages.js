import { readdir, readFile } from 'node:fs/promises';
import path from 'node:path';

export const root = path.resolve(import.meta.dirname, '../..');

/**
 * @typedef {object} Package
 * @property {string} folder
 * @property {any} manifest its package.json
 */

/**
 * The packages in a folder of the repository, sorted by name.
 * @param {'packages' | 'examples'} parent
 * @returns {Promise<Package[]>}
 */
export async function packagesIn(parent) {
  const entries = await readdir(path.join(root, parent), { withFileTypes: true });
  const folders = entries.filter((entry) => entry.isDirectory()).map((entry) => path.join(root, parent, entry.name));
  return Promise.all(folders.sort().map(async (folder) => ({ folder, manifest: await readManifest(folder) })));
}

/** @param {string} folder */
export async function readManifest(folder) {
  return JSON.parse(await readFile(path.join(folder, 'package.json'), 'utf8'));
}
