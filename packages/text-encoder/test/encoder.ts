import { createNodeBackend, openFolder } from '@sd/backend-node';
import type { Tokens } from '@sd/core';
import { afterAll } from 'vitest';
import { readGolden, sd1 } from '../../../fixtures/golden.js';
import { loadTextEncoder } from '../src/index.js';

export const backend = createNodeBackend({ threads: 1 });
afterAll(() => backend.dispose());

export const golden = readGolden();

/** Tokens of the two prompts in the golden figures. */
export function tokensOf(figures: typeof golden, prefix = 'text'): [Tokens, Tokens] {
  return [0, 1].map((i): Tokens => {
    const ids = Int32Array.from(figures(`${prefix}.input_ids`).data.subarray(i * 77, (i + 1) * 77));
    return { ids, length: ids.indexOf(1195) + 1, truncated: '' };
  }) as [Tokens, Tokens];
}

export const tokens = tokensOf(golden);

export async function encoderIn(folder = sd1, variant?: string) {
  return loadTextEncoder({ source: await openFolder(folder), backend, variant });
}

/** The hidden states and the pooled embeddings of both prompts, concatenated. */
export async function embeddingsOf(folder?: string, variant?: string) {
  const encoder = await encoderIn(folder, variant);
  const embeddings = await encoder.encode(tokens);
  await encoder.dispose?.();
  return {
    unused: encoder.unusedTensors,
    hidden: concatenate(embeddings.map(({ hidden }) => hidden.data)),
    pooled: concatenate(embeddings.map(({ pooled }) => pooled!.data)),
  };
}

export function concatenate(arrays: readonly Float32Array[]): Float32Array {
  return Float32Array.from(arrays.flatMap((array) => [...array]));
}
