// Where the site's pages come from: Markdown files anywhere in the repository, each at a URL of its own.
import { existsSync } from 'node:fs';
import path from 'node:path';

export const root = path.resolve(import.meta.dirname, '../..');

/** Globs of the Markdown files that are no pages, relative to the root. */
export const notPages = [
  'README.md',
  '.changeset/**',
  'out/**',
  'fixtures/**',
  'fuzz/**',
  'bench/**',
  'test-browser/**',
  'packages/*/test/**',
  '**/CHANGELOG.md',
  '**/dist/**',
];

const pagePatterns = [
  /^CONTRIBUTING\.md$/,
  /^packages\/core\/errors\.md$/,
  /^training\/README\.md$/,
  /^docs\/(?!build\/|site\/)[\w./-]+\.md$/,
  /^(packages|examples)\/[^/]+\/README\.md$/,
];

/** Whether a file is a page of the site. @param {string} file relative to the root */
const isPage = (file) => pagePatterns.some((pattern) => pattern.test(file)) && existsSync(path.join(root, file));

/**
 * The file from which a page's URL is made: without `docs/`, a folder's README.md as its index.
 * @param {string} file relative to the root
 */
export function rewrite(file) {
  return file.replace(/^(docs|packages\/core(?=\/errors))\//, '').replace(/(^|\/)README\.md$/, '$1index.md');
}

/**
 * The URL of the page that a file or a folder of the repository has on the site, or undefined if it has none.
 * @param {string} target relative to the root
 */
export function urlOf(target) {
  for (const file of [target, path.posix.join(target, 'README.md')]) {
    if (isPage(file))
      return `/${rewrite(file)
        .replace(/(^|\/)index\.md$/, '$1')
        .replace(/\.md$/, '.html')}`;
  }
  return undefined;
}
