// node docs/site/build.js: builds the site into out/site, from the pages and from the packages' declarations. Packages must
// have been built. Fails for broken doc comments, and for links to pages or headings that do not exist.
import { rm } from 'node:fs/promises';
import path from 'node:path';
import { build } from 'vitepress';
import { apiFolder, writeApi } from './api.js';
import { checkSiteLinks } from './check-links.js';
import { root } from './places.js';

const site = path.join(root, 'out/site');

await rm(apiFolder, { recursive: true, force: true });
await writeApi();
await build(path.join(root, 'docs'));
const { pages, links } = await checkSiteLinks(site);
console.log(`out/site: ${pages} pages with ${links} links between them.`);
