import { type Tensor, tensor } from '@sd/core';
import type { Adapter } from './adapter.js';
import { strengthNamed } from './strengths.js';

/** The words of attached textual inversions, for one text encoder. */
export interface WordVectors {
  /** How many vectors each word has. */
  readonly counts: Readonly<Record<string, number>>;
  /** All of them, one after the other: [sum of counts, width]. */
  readonly vectors: Tensor<'float32'>;
}

/** Undefined where no attached adapter has words for this text encoder. Vectors are multiplied by their adapter's strength. */
export function wordVectors(
  part: 'textEncoder' | 'textEncoder2',
  adapters: readonly Adapter[],
  strengths: Readonly<Record<string, number>>,
): WordVectors | undefined {
  const entries = adapters.flatMap(({ name, words }) => {
    const own = words?.[part];
    if (words === undefined || own === undefined) return [];
    const strength = strengthNamed(name, strengths);
    const data = strength === 1 ? own.data : own.data.map((value) => value * strength);
    return words.words.map((word) => ({ word, count: own.dims[0]!, width: own.dims[1]!, data }));
  });
  const [first] = entries;
  if (first === undefined) return undefined;
  const vectors = tensor('float32', [entries.reduce((sum, { count }) => sum + count, 0), first.width]);
  let at = 0;
  for (const { data } of entries) {
    vectors.data.set(data, at);
    at += data.length;
  }
  return { counts: Object.fromEntries(entries.map(({ word, count }) => [word, count])), vectors };
}
