import GithubSlugger from 'github-slugger';
import { defineConfig } from 'vitepress';
import { apiPages } from '../site/api.js';
import { mermaidFigures } from '../site/mermaid.js';
import { notPages, rewrite } from '../site/places.js';
import { repositoryLinks } from '../site/repository-links.js';
import { sidebar } from '../site/sidebar.js';

export default defineConfig({
  title: '@sd',
  description: 'Stable Diffusion for JavaScript, as parts',
  head: [
    // There is no icon, and browsers would ask for one.
    ['link', { rel: 'icon', href: 'data:,' }],
    [
      'style',
      {},
      '.mermaid svg { width: 100%; height: auto } ' +
        '.VPDoc.has-aside .content-container { max-width: 800px !important } ' +
        '.language-text code { white-space: pre-wrap } .vp-doc td code { overflow-wrap: anywhere }',
    ],
  ],
  srcDir: '..',
  srcExclude: notPages,
  outDir: '../out/site',
  cacheDir: '../node_modules/.cache/vitepress',
  rewrites: rewrite,
  // The esbuild of this repository is newer than Vite 5 expects, and has no such transform for older browsers.
  vite: { build: { target: 'es2022' } },
  markdown: {
    // Anchors are GitHub's, so that a link works in both places.
    anchor: { slugify: (text) => new GithubSlugger().slug(text) },
    config(md) {
      md.use(repositoryLinks).use(mermaidFigures);
    },
  },
  themeConfig: {
    nav: [
      { text: 'Start', link: '/start' },
      { text: 'Concepts', link: '/concepts' },
      { text: 'Guides', link: '/guides/loading-models' },
      { text: 'Errors', link: '/errors' },
      { text: 'API', link: '/api/' },
    ],
    outline: [2, 3],
    search: {
      provider: 'local',
      // Code is not searched: highlighting it once more takes as long as the rest of the build.
      options: { _render: (text, env, md) => md.render(text.replace(/^```.*?^```$/gms, ''), env) },
    },
    sidebar: sidebar(await apiPages()),
  },
});
