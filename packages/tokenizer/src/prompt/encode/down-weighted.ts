import { InvalidOptionError } from '@sd/core';
import type { WeightedTokens } from '../chunks.js';
import type { Section } from '../prompt-plan.js';
import type { WeightedWindow } from './windows.js';

/** A text without one of its fragments, whose weight is below 1. */
export interface AblatedText {
  readonly weight: number;
  readonly windows: readonly WeightedWindow[];
}

/** The text once for each fragment of a weight below 1, with that fragment hidden from the others: compel's `DownweightMode.MASK`. */
export function maskFragments(sections: readonly Section[], chunks: readonly WeightedTokens[]): AblatedText[] {
  return downWeighted(sections, chunks.length).map(({ weight, index }) => ({
    weight,
    windows: hideFragment(chunks, index),
  }));
}

/** The text once for each fragment of a weight below 1, without that fragment: compel's `DownweightMode.REMOVE`. */
export function removeFragments(
  sections: readonly Section[],
  chunks: readonly WeightedTokens[],
  divide: (sections: readonly Section[]) => readonly WeightedTokens[],
): AblatedText[] {
  return downWeighted(sections, chunks.length).map(({ weight, index }) => ({
    weight,
    windows: divide(removeFragment(sections, index)).map((tokens) => ({ tokens })),
  }));
}

/** The most windows that are encoded for the fragments of a weight below 1 in a text. */
const maxWindows = 4096;

/**
 * Fragments of a weight below 1, and their indexes in the whole text of `windows` windows. Throws an InvalidOptionError
 * (`prompt`) if encoding the text once for each would take too many windows.
 */
function downWeighted(
  sections: readonly Section[],
  windows: number,
): { readonly weight: number; readonly index: number }[] {
  const found = sections
    .flat()
    .map(({ weight }, index) => ({ weight, index }))
    .filter(({ weight }) => weight < 1);
  if (found.length * windows <= maxWindows) return found;
  throw new InvalidOptionError(
    'prompt',
    `has ${found.length} parts with weights below 1, each of which encodes all ${windows} windows again. At most ${maxWindows} windows are encoded: shorten the prompt, or weaken fewer parts.`,
  );
}

function removeFragment(sections: readonly Section[], index: number): Section[] {
  let next = 0;
  return sections.map((section) => section.filter(() => next++ !== index));
}

/** Hides a fragment's tokens. Where it continues in another window, what stands between is hidden too, except start and end tokens. */
function hideFragment(chunks: readonly WeightedTokens[], fragment: number): WeightedWindow[] {
  const contains = chunks.map(({ fragments }) => fragments.includes(fragment));
  const first = contains.indexOf(true);
  const last = contains.lastIndexOf(true);
  return chunks.map((tokens, i) => {
    if (first === -1 || i < first || i > last) return { tokens };
    const { length } = tokens.ids;
    const from = i === first ? tokens.fragments.indexOf(fragment) : 1;
    const to = i === last ? tokens.fragments.lastIndexOf(fragment) + 1 : length - 1;
    return { tokens, hides: new Uint8Array(length).fill(1, from, to) };
  });
}
