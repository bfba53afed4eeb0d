// Links between Markdown files are written as they work in the repository: relative to the file, a folder for its README.
import path from 'node:path';
import { root, urlOf } from './places.js';

/** @typedef {ReturnType<import('vitepress').MarkdownRenderer['parse']>[number]} Token */

/**
 * A markdown-it plugin: such links lead to the pages of the site. A file that is no page, such as a source file, keeps its
 * text and has no link.
 * @param {import('vitepress').MarkdownRenderer} md
 */
export function repositoryLinks(md) {
  md.core.ruler.push('repository-links', ({ tokens, env }) => {
    const folder = path.dirname(env.realPath ?? env.path);
    for (const token of tokens) translateLinks(token.children ?? [], folder);
  });
}

/**
 * @param {readonly Token[]} tokens of a paragraph
 * @param {string} folder of the Markdown file
 */
function translateLinks(tokens, folder) {
  let isRemoved = false;
  for (const token of tokens) {
    if (token.type === 'link_open') {
      const href = String(token.attrGet('href'));
      const translated = translate(href, folder);
      isRemoved = translated === undefined;
      if (translated !== undefined) token.attrSet('href', translated);
    }
    if (!isRemoved) continue;
    if (token.type === 'link_open' || token.type === 'link_close') hide(token);
    if (token.type === 'link_close') isRemoved = false;
  }
}

/** @param {Token} token */
function hide(token) {
  token.type = 'text';
  token.tag = '';
  token.nesting = 0;
  token.content = '';
}

/**
 * @param {string} href
 * @param {string} folder
 * @returns {string | undefined} undefined if the site has no such page
 */
function translate(href, folder) {
  if (/^([a-z]+:|\/|#)/.test(href)) return href;
  const [target, hash] = href.split('#');
  const file = path
    .relative(root, path.resolve(folder, decodeURI(target)))
    .split(path.sep)
    .join('/');
  const url = urlOf(file);
  return url === undefined || hash === undefined ? url : `${url}#${hash}`;
}
