import { openFolder } from '@sd/backend-node';
import { describe, expect, test } from 'vitest';
import { stageError } from '../../../fixtures/deviations.js';
import { fixture, readGolden, relativeError } from '../../../fixtures/golden.js';
import { loadTextEncoder } from '../src/index.js';
import { backend, concatenate, tokensOf } from './encoder.js';

const folder = fixture('models/sdxl');
const golden = readGolden('golden.safetensors', folder);
const tolerance = 1e-5;

const encoderIn = async (name: string) => loadTextEncoder({ source: await openFolder(folder), backend, folder: name });

describe.each([
  ['text_encoder', 'text', 'pooled'],
  ['text_encoder_2', 'text2', 'text_embeds'],
])('%s gives the same outputs as transformers', (name, prefix, pooled) => {
  const tokens = tokensOf(golden, prefix);

  test('penultimate and last hidden states, and the pooled embedding, using all tensors', async () => {
    const encoder = await encoderIn(name);
    const penultimate = await encoder.encode(tokens, { output: 'penultimate' });
    const last = await encoder.encode(tokens);
    await encoder.dispose?.();
    const figures: [got: Float32Array, want: string][] = [
      [concatenate(penultimate.map(({ hidden }) => hidden.data)), 'hidden_penultimate'],
      [concatenate(last.map(({ hidden }) => hidden.data)), 'last_hidden_state'],
      [concatenate(penultimate.map((embedding) => embedding.pooled!.data)), pooled],
      [concatenate(last.map((embedding) => embedding.pooled!.data)), pooled],
    ];
    for (const [got, want] of figures) {
      expect(stageError('sdxl', got, golden(`${prefix}.${want}`).data)).toBeLessThan(tolerance);
    }
    expect(encoder.unusedTensors).toEqual([]);
  });

  test('clipSkip counts from the penultimate layer', async () => {
    const encoder = await encoderIn(name);
    const [plain, skipped, first] = await Promise.all(
      [0, 1, 2].map((clipSkip) => encoder.encode(tokens, { output: 'penultimate', clipSkip })),
    );
    await encoder.dispose?.();
    expect(relativeError(skipped[0].hidden.data, plain[0].hidden.data)).toBeGreaterThan(0.01);
    expect(relativeError(first[0].hidden.data, skipped[0].hidden.data)).toBeGreaterThan(0.01);
    expect(skipped[0].pooled!.data).toEqual(plain[0].pooled!.data);
  });
});
