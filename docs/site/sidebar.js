// The site's sidebar: sections of pages in a declared order. A page that is listed and does not exist is left out, and one
// that exists in a section's folder and is not listed comes last.
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { root, urlOf } from './places.js';

/**
 * @typedef {object} Section
 * @property {string} title
 * @property {string} folder relative to the root
 * @property {readonly string[]} pages names of Markdown files without their ending, or of folders with a README.md
 * @property {boolean} [others] whether the folder's other pages are listed too
 */

/** @type {readonly Section[]} */
const sections = [
  { title: 'Start', folder: 'docs', pages: ['start', 'concepts', 'coming-from'] },
  {
    title: 'Guides',
    folder: 'docs/guides',
    others: true,
    pages: [
      'loading-models',
      'models-by-name',
      'prompts',
      'guidance-and-samplers',
      'images',
      'inpainting',
      'adapters',
      'lora',
      'controlnet',
      'few-step-models',
      'sdxl-and-refiner',
      'stable-diffusion-3',
      'results-and-errors',
      'streaming-and-previews',
      'memory-and-speed',
      'workers-and-browser',
      'frameworks',
      'server',
      'queue',
      'security',
      'custom-stages',
      'new-model-family',
    ],
  },
  {
    title: 'Reference',
    folder: 'docs',
    others: true,
    pages: ['errors', 'schedulers', 'compatibility', 'architecture', 'recipes', 'reliability'],
  },
  {
    title: 'Packages',
    folder: 'packages',
    others: true,
    pages: [
      'pipeline',
      'cli',
      'server',
      'queue',
      'react',
      'ai-sdk',
      'core',
      'adapters',
      'scheduler',
      'guidance',
      'image',
    ],
  },
  { title: 'Examples', folder: 'examples', others: true, pages: ['node-minimal', 'draw', 'browser'] },
];

/** @param {{ text: string, link: string }[]} api the pages of the API reference */
export function sidebar(api) {
  const listed = new Set(sections.flatMap(({ folder, pages }) => pages.map((name) => `${folder}/${name}`)));
  return [
    ...sections.map((section) => ({
      text: section.title,
      collapsed: section.folder === 'packages' || section.folder === 'examples',
      items: pagesOf(section, listed),
    })),
    { text: 'API', collapsed: true, items: api },
  ];
}

/**
 * @param {Section} section
 * @param {ReadonlySet<string>} listed pages with a place, in any section
 */
function pagesOf({ folder, pages, others }, listed) {
  const found = others ? readdirSync(path.join(root, folder)).map((name) => name.replace(/\.md$/, '')) : [];
  const rest = found.filter((name) => name !== 'README' && !listed.has(`${folder}/${name}`)).sort();
  return [...pages, ...rest].flatMap((name) => {
    const file = [`${folder}/${name}.md`, `${folder}/${name}/README.md`].find((each) =>
      existsSync(path.join(root, each)),
    );
    const link = file === undefined ? undefined : urlOf(file);
    return file === undefined || link === undefined ? [] : [{ text: titleOf(file), link }];
  });
}

/** A page's first heading. @param {string} file */
function titleOf(file) {
  const text = readFileSync(path.join(root, file), 'utf8');
  return /^# (.+)$/m.exec(text)?.[1].replaceAll('`', '') ?? file;
}
