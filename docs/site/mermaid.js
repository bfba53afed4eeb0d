import { renderMermaidSVG } from 'beautiful-mermaid';

const colors = {
  bg: 'var(--vp-c-bg)',
  fg: 'var(--vp-c-text-1)',
  line: 'var(--vp-c-text-3)',
  border: 'var(--vp-c-divider)',
  surface: 'var(--vp-c-bg-soft)',
  transparent: true,
};

/** A markdown-it plugin: figures in Mermaid become SVG when the site is built. @param {import('vitepress').MarkdownRenderer} md */
export function mermaidFigures(md) {
  const fence = md.renderer.rules.fence;
  md.renderer.rules.fence = (tokens, index, options, env, self) => {
    const { info, content } = tokens[index];
    if (info.trim() !== 'mermaid') return fence?.(tokens, index, options, env, self) ?? '';
    // Nothing on a page is loaded from elsewhere, fonts included.
    const svg = renderMermaidSVG(content, { ...colors, font: 'Inter' }).replace(/@import url\([^)]*\);?/g, '');
    // As a string, since Vue leaves the styles of an SVG in its templates out.
    return `<div class="mermaid" v-html="${md.utils.escapeHtml(JSON.stringify(svg))}"></div>\n`;
  };
}
