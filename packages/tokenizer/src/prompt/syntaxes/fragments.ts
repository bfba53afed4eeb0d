import type { Fragment } from '../prompt-plan.js';

/** Drops empty fragments and merges neighbours of the same weight, with `separator` between them. */
export function mergeFragments(fragments: readonly Fragment[], separator: string): Fragment[] {
  const merged: Fragment[] = [];
  for (const fragment of fragments) {
    if (fragment.text === '') continue;
    const before = merged.at(-1);
    const joins = before?.weight === fragment.weight && before.word === undefined && fragment.word === undefined;
    if (joins) merged[merged.length - 1] = { ...before, text: `${before.text}${separator}${fragment.text}` };
    else merged.push(fragment);
  }
  return merged;
}

/** Rounds a product of weights to 12 digits, so that 1.1 times 1 / 1.1 is 1. */
export function roundWeight(weight: number): number {
  return Number(weight.toPrecision(12));
}
