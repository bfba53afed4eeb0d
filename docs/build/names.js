// Checks the names in coming-from.md: what its tables have in a column headed "Here" exists in the packages.
import { readdir } from 'node:fs/promises';
import path from 'node:path';
import { loadPipeline } from '@sd/pipeline';
import { schedulerClasses, schedulerNames } from '@sd/scheduler';
import { optionTables } from './option-tables.js';

const root = path.resolve(import.meta.dirname, '../..');

/** Throws an Error with the names that do not exist. @param {string} page */
export async function checkNames(page) {
  const known = await knownNames();
  const unknown = namesHere(page).filter((name) => !known.has(name));
  if (unknown.length > 0) throw new Error(`docs/coming-from.md names what does not exist: ${unknown.join(', ')}.`);
}

/** The code in the columns headed "Here". @param {string} page */
function namesHere(page) {
  const tables = page.split(/\n{2,}/).filter((block) => block.startsWith('|'));
  const names = tables.flatMap((table) => {
    const [head, , ...rows] = table.trim().split('\n').map(cellsOf);
    const column = head.indexOf('Here');
    if (column < 0) throw new Error(`docs/coming-from.md: a table has no column "Here": ${head.join(', ')}`);
    return rows.flatMap((row) => [...(row[column] ?? '').matchAll(/`(.+?)`/g)].map(([, name]) => name));
  });
  if (names.length === 0) throw new Error('docs/coming-from.md has no names to check.');
  return names;
}

/** @param {string} line of a table */
function cellsOf(line) {
  return line
    .split(/(?<!\\)\|/)
    .slice(1, -1)
    .map((cell) => cell.trim());
}

/** Names as the page writes them: `steps`, `upscale.factor`, `loadPipeline()`, `sd.attach()`, `'euler'`. */
async function knownNames() {
  const { upscale, ...tables } = optionTables;
  const rows = Object.values(tables);
  const values = rows.flatMap((table) => Object.values(table)).flatMap(({ type }) => type.match(/'[\w-]+'/g) ?? []);
  return new Set([
    ...rows.flatMap((table) => Object.keys(table)),
    ...Object.keys(upscale).map((name) => `upscale.${name}`),
    ...values,
    ...[...schedulerNames, ...schedulerClasses].map((name) => `'${name}'`),
    ...(await exportedFunctions()),
    ...(await pipelineMembers()),
  ]);
}

/** What the packages' main entries export, and the worker's. */
async function exportedFunctions() {
  const packages = await readdir(path.join(root, 'packages'));
  const entries = [...packages.map((name) => `@sd/${name}`), '@sd/pipeline/worker'];
  const modules = await Promise.all(entries.map((entry) => import(entry)));
  return modules.flatMap((module) => Object.keys(module)).map((name) => `${name}()`);
}

async function pipelineMembers() {
  const sd = await loadPipeline();
  await sd.dispose();
  return Object.entries(sd).map(([name, member]) => `sd.${name}${typeof member === 'function' ? '()' : ''}`);
}
