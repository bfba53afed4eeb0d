// The tables of options in the guides and READMEs, from the option tables in the code.
import * as adapters from '@sd/adapters';
import { attachOptions, attentionMapTable, families, generateTables, loadTable, upscaleTable } from '@sd/pipeline';
import { serverTable } from '@sd/server/node';
import { markdownTable } from './markdown-table.js';

/** @typedef {Readonly<Record<string, import('@sd/core/options').OptionRow>>} Table */

/** Enough of a pipeline's stages to ask a family which options it adds. */
const stages = /** @type {any} */ ({ textEncoders: [], noisePredictor: {}, vae: { scaleFactor: 8 } });

/** @type {Table} */
const familyTable = Object.assign({}, ...families.map((family) => family.composition(stages).options));

/** @type {Readonly<Record<string, Table>>} by their names in the marks of Markdown files */
export const optionTables = {
  loadPipeline: loadTable,
  generate: Object.assign({}, ...Object.values(generateTables), familyTable),
  ...Object.fromEntries(Object.entries(generateTables).map(([group, table]) => [`generate, ${group}`, table])),
  'generate, SDXL': familyTable,
  attentionMaps: attentionMapTable,
  upscale: upscaleTable,
  attach: attachOptions,
  lora: adapters.loraOptions,
  controlnet: adapters.controlNetOptions,
  't2i-adapter': adapters.t2iAdapterOptions,
  'ip-adapter': adapters.ipAdapterOptions,
  'motion-adapter': adapters.motionOptions,
  createServer: serverTable,
};

/**
 * Puts tables where a page has `<!-- options: NAME -->` and `<!-- /options -->`. Throws an Error for an unknown name.
 * @param {string} page
 */
export function fillOptions(page) {
  return page.replace(/(<!-- options: (.+?) -->\n).*?(<!-- \/options -->)/gs, (_, start, name, end) => {
    if (!Object.hasOwn(optionTables, name)) throw new Error(`There is no table of options named ${name}.`);
    return `${start}\n${optionTable(optionTables[name])}\n\n${end}`;
  });
}

/** @param {Table} table */
function optionTable(table) {
  const rows = Object.entries(table).map(([name, { type, default: fallback, text }]) => [
    `\`${name}\``,
    `\`${escapePipes(type)}\``,
    fallback === undefined ? '' : escapePipes(literal(fallback)),
    escapePipes(linked(text)),
  ]);
  return markdownTable(['Option', 'Type', 'Default', ''], rows);
}

/** @param {string} text */
const escapePipes = (text) => text.replaceAll('|', '\\|');

/** Strings and booleans as code. @param {string} text */
const literal = (text) => (/^('.*'|true|false)$/.test(text) ? `\`${text}\`` : text);

/** @param {string} text */
const linked = (text) => text.replace(/arXiv (\d{4}\.\d{5})/g, '[arXiv $1](https://arxiv.org/abs/$1)');
