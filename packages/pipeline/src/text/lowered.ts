import type { Section, WeightedTokens } from '@sd/tokenizer/prompt';
import type { WeightedWindow } from './windows.js';

/** A text's windows without one of its fragments, and the weight of that, below 1. */
export interface Lacking {
  readonly weight: number;
  readonly windows: readonly WeightedWindow[];
}

type Divide = (sections: readonly Section[]) => readonly WeightedTokens[];

/**
 * For each fragment of a weight below 1, the text's windows without it: compel's `DownweightMode`, where the fragment is
 * hidden from the others (`mask`), or left out, so that what follows moves up (`remove`).
 */
export function lowered(divide: Divide, mode: 'mask' | 'remove') {
  return (sections: readonly Section[], chunks: readonly WeightedTokens[]): readonly Lacking[] =>
    sections.flat().flatMap(({ weight }, i) => {
      if (weight >= 1) return [];
      const windows = mode === 'mask' ? hiding(chunks, i) : divide(removing(sections, i)).map((tokens) => ({ tokens }));
      return [{ weight, windows }];
    });
}

function removing(sections: readonly Section[], index: number): Section[] {
  let at = 0;
  return sections.map((section) => section.filter(() => at++ !== index));
}

/** Hides a fragment's tokens, and what stands between them where it goes on in another window, but for windows' first and last tokens. */
function hiding(chunks: readonly WeightedTokens[], fragment: number): WeightedWindow[] {
  const has = chunks.map(({ fragments }) => fragments.includes(fragment));
  const first = has.indexOf(true);
  const last = has.lastIndexOf(true);
  return chunks.map((tokens, i) => {
    if (first === -1 || i < first || i > last) return { tokens };
    const { length } = tokens.ids;
    const from = i === first ? tokens.fragments.indexOf(fragment) : 1;
    const to = i === last ? tokens.fragments.lastIndexOf(fragment) + 1 : length - 1;
    return { tokens, hides: new Uint8Array(length).fill(1, from, to) };
  });
}
