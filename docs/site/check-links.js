// What VitePress does not check itself: links to headings, and links in pages that the API reference's generator wrote.
import { readdir, readFile } from 'node:fs/promises';
import path from 'node:path';

/**
 * Throws an Error with every link of a built site that leads to no file or to no heading of it.
 * @param {string} site the folder
 * @returns {Promise<{ pages: number, links: number }>}
 */
export async function checkSiteLinks(site) {
  const files = (await readdir(site, { recursive: true })).map((file) => `/${file.split(path.sep).join('/')}`);
  const pages = new Map();
  for (const file of files.filter((name) => name.endsWith('.html'))) {
    pages.set(file, partsOf(await readFile(path.join(site, file), 'utf8')));
  }
  const exists = new Set(files);
  const dead = [];
  let links = 0;
  for (const [page, { hrefs }] of pages) {
    for (const href of hrefs) {
      const { pathname, hash } = new URL(href, `https://site${page}`);
      const target = decodeURIComponent(pathname.endsWith('/') ? `${pathname}index.html` : pathname);
      const anchor = decodeURIComponent(hash.slice(1));
      links++;
      if (!exists.has(target) || (anchor !== '' && !pages.get(target)?.ids.has(anchor))) dead.push(`${page}: ${href}`);
    }
  }
  if (dead.length > 0) throw new Error(`The site has ${dead.length} dead links:\n${dead.join('\n')}`);
  return { pages: pages.size, links };
}

/** A page's links within the site, and its anchors. @param {string} html */
function partsOf(html) {
  const hrefs = [...html.matchAll(/<a [^>]*?href="([^"]+)"/g)].map(([, href]) => href.replaceAll('&amp;', '&'));
  return {
    hrefs: hrefs.filter((href) => !/^[a-z]+:/.test(href)),
    ids: new Set([...html.matchAll(/ id="([^"]+)"/g)].map(([, id]) => id)),
  };
}
