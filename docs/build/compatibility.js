// The tables of compatibility.md, from the deviations that tests recorded in fixtures/.made/deviations.
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
 * The tables, by their names in the page. Throws an Error if the tests recorded a deviation for an unknown row, or none for
 * a known one.
 * @param {string | undefined} page if given, its numbers are kept as long as they are not exceeded by more than an order of
 * magnitude, since the last digits vary between machines
 * @returns {Promise<Record<string, string>>}
 */
export async function compatibilityTables(page) {
  const recorded = await recordedDeviations();
  const known = Object.values(rows).flatMap((group) => Object.keys(group));
  const missing = known.filter((name) => !recorded.has(name));
  const unknown = [...recorded.keys()].filter((name) => !known.includes(name));
  if (missing.length > 0)
    throw new Error(`The tests recorded nothing for ${missing.join(', ')}: run \`npm test\` first.`);
  if (unknown.length > 0)
    throw new Error(`docs/build/compatibility-rows.js has no row for ${unknown.join(', ')}, which the tests record.`);
  return Object.fromEntries(
    Object.entries(rows).map(([table, group]) => {
      const lines = Object.entries(group).map(([name, row]) => {
        const previous = page === undefined ? undefined : deviationsIn(page, row);
        const current = /** @type {Deviations} */ (recorded.get(name));
        return [...row, ...measures.map((measure) => formatDeviation(measure, current[measure], previous?.[measure]))];
      });
      return [table, markdownTable(['what', 'form', 'compared with', 'stage', 'latents', '8-bit colours'], lines)];
    }),
  );
}

/** The largest recorded deviations, by row. @returns {Promise<Map<string, Deviations>>} */
async function recordedDeviations() {
  const files = await readdir(folder).catch(() => []);
  const texts = await Promise.all(files.map((file) => readFile(path.join(folder, file), 'utf8')));
  /** @type {Map<string, Deviations>} */
  const largest = new Map();
  for (const line of texts.flatMap((text) => text.split('\n').filter((part) => part !== ''))) {
    const { row, ...deviations } = JSON.parse(line);
    const maxima = largest.get(row) ?? {};
    largest.set(row, maxima);
    for (const measure of measures) {
      const value = deviations[measure];
      if (value !== undefined) maxima[measure] = Math.max(maxima[measure] ?? 0, value ?? Number.NaN);
    }
  }
  return largest;
}

/**
 * The numbers of a row in the page.
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
 * @param {string | undefined} previous
 */
function formatDeviation(measure, value, previous) {
  if (value === undefined) return undefined;
  const bound = measure === 'colours' ? Math.max(1, Number(previous)) : 10 * Number(previous);
  if (previous !== undefined && value <= bound) return previous;
  return value === 0 || measure === 'colours' ? String(value) : value.toExponential(0);
}
