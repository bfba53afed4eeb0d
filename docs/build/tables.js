// The tables of schedulers.md, as Markdown.
import { schedulerClasses } from '@sd/scheduler';
import { measureOrder } from '@sd/scheduler/testing';
import { markdownTable } from './markdown-table.js';
import { costOf } from './measure.js';
import { measuredOrders } from './orders.js';
import { samplers } from './samplers.js';

/** @returns {Promise<Record<string, string>>} by their names in the page */
export async function tables() {
  checkClasses();
  return { samplers: await samplerTable(), orders: await orderTable() };
}

/** Throws an Error if the page lacks a scheduler class that the code supports, or lists one that it does not. */
function checkClasses() {
  const named = new Set(samplers.flatMap(({ diffusers }) => diffusers.map((name) => `${name}Scheduler`)));
  const missing = schedulerClasses.filter((name) => !named.has(name));
  const unknown = [...named].filter((name) => !schedulerClasses.includes(name));
  if (missing.length + unknown.length > 0) {
    throw new Error(`docs/build/samplers.js: missing [${missing}], unknown to schedulerFromConfig [${unknown}].`);
  }
}

async function samplerTable() {
  const rows = [];
  for (const { name, sampler, diffusers, k, comfy, a1111, papers } of samplers) {
    const { calls, noise } = await costOf(sampler);
    const order = noise ? undefined : (await measureOrder(sampler)).toFixed(1);
    const paper =
      list(papers.map((number) => `[${number}](https://arxiv.org/abs/${number})`)) ??
      '[k-diffusion](https://github.com/crowsonkb/k-diffusion)';
    const cells = [code(name), list(diffusers.map(code)), code(k), code(comfy), a1111];
    rows.push([...cells, order, String(calls), noise ? 'yes' : undefined, paper]);
  }
  return markdownTable(
    ['here', 'diffusers', 'k-diffusion', 'ComfyUI', 'A1111', 'order', 'calls', 'noise', 'paper'],
    rows,
  );
}

async function orderTable() {
  const rows = (await measuredOrders()).map(({ code: expression, order, measured, error }) => [
    code(expression),
    order?.toString(),
    measured.toFixed(2),
    error.toExponential(1),
  ]);
  return markdownTable(['sampler', 'order', 'measured', 'error at 36 steps'], rows);
}

/** @param {readonly (string | undefined)[]} texts */
function list(texts) {
  return texts.length > 0 ? texts.join(', ') : undefined;
}

/** @param {string | undefined} text */
function code(text) {
  return text && `\`${text}\``;
}
