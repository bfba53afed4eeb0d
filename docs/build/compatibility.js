// The tables of compatibility.md, from what the tests noted in fixtures/.made/deviations.
import { readdir, readFile } from 'node:fs/promises';
import path from 'node:path';
import { rows } from './compatibility-rows.js';
import { markdownTable } from './markdown-table.js';

/** @typedef {'stage' | 'latents' | 'colours'} Measure */
/** @typedef {Partial<Record<Measure, number>>} Deviations */

const root = path.resolve(import.meta.dirname, '../..');
const folder = path.join(root, 'fixtures/.made/deviations');

/** @type {readonly Measure[]} */
const measures = ['stage', 'latents', 'colours'];

/**
 * The tables, by the names of their places in the page. Throws an Error where the tests note a row that there is not, or
 * note nothing for one.
 * @param {string | undefined} page Where it is given, its own numbers stay as long as the tests are not worse by more than
 * an order of magnitude: the last digits are another machine's.
 * @returns {Promise<Record<string, string>>}
 */
export async function compatibilityTables(page) {
  const noted = await notedDeviations();
  const known = Object.values(rows).flatMap((group) => Object.keys(group));
  const missing = known.filter((name) => !noted.has(name));
  const unknown = [...noted.keys()].filter((name) => !known.includes(name));
  if (missing.length > 0) throw new Error(`The tests noted nothing for ${missing.join(', ')}: run \`npm test\` first.`);
  if (unknown.length > 0)
    throw new Error(`docs/build/compatibility-rows.js has no row for ${unknown.join(', ')}, which the tests note.`);
  return Object.fromEntries(
    Object.entries(rows).map(([place, group]) => {
      const lines = Object.entries(group).map(([name, [what, form, against]]) => {
        const before = page === undefined ? undefined : deviationsIn(page, [what, form, against]);
        const now = /** @type {Deviations} */ (noted.get(name));
        return [what, form, against, ...measures.map((measure) => shown(measure, now[measure], before?.[measure]))];
      });
      return [place, markdownTable(['what', 'form', 'compared with', 'a stage', 'latents', '8-bit colours'], lines)];
    }),
  );
}

/** The largest deviations that the tests noted, by row. @returns {Promise<Map<string, Deviations>>} */
async function notedDeviations() {
  const files = await readdir(folder).catch(() => []);
  const texts = await Promise.all(files.map((file) => readFile(path.join(folder, file), 'utf8')));
  /** @type {Map<string, Deviations>} */
  const largest = new Map();
  for (const line of texts.flatMap((text) => text.split('\n').filter((part) => part !== ''))) {
    const { row, ...deviations } = JSON.parse(line);
    const before = largest.get(row) ?? {};
    largest.set(row, before);
    for (const measure of measures) {
      const value = deviations[measure];
      if (value !== undefined) before[measure] = Math.max(before[measure] ?? 0, value ?? Number.NaN);
    }
  }
  return largest;
}

/**
 * What the page says of a row.
 * @param {string} page
 * @param {import('./compatibility-rows.js').Row} row
 * @returns {Partial<Record<Measure, string>> | undefined}
 */
function deviationsIn(page, row) {
  for (const line of page.split('\n')) {
    const [, ...cells] = line.split('|').map((cell) => cell.trim());
    if (row.every((text, i) => cells[i] === text))
      return Object.fromEntries(measures.map((measure, i) => [measure, cells[row.length + i]]));
  }
  return undefined;
}

/**
 * @param {Measure} measure
 * @param {number | undefined} value
 * @param {string | undefined} before
 */
function shown(measure, value, before) {
  if (value === undefined) return undefined;
  const own = Number(before);
  const bound = measure === 'colours' ? Math.max(1, own) : 10 * own;
  if (before !== undefined && value <= bound) return before;
  return value === 0 || measure === 'colours' ? String(value) : value.toExponential(0);
}
