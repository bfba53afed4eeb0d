import { openFolder } from '@sd/backend-node';
import { openCheckpoint } from '@sd/weights';
import { describe, expect, test } from 'vitest';
import { stageError } from '../../../fixtures/deviations.js';
import { readGolden, sd1, sd2 } from '../../../fixtures/golden.js';
import { concatenate, embeddingsOf, encoderIn, golden, tokens, tokensOf } from './encoder.js';

const tolerance = 1e-5;

describe('the same outputs as transformers', () => {
  test('last hidden state and pooled embedding', async () => {
    const { hidden, pooled, unused } = await embeddingsOf();
    expect(stageError('sd1', hidden, golden('text.last_hidden_state').data)).toBeLessThan(tolerance);
    expect(stageError('sd1', pooled, golden('text.pooled').data)).toBeLessThan(tolerance);
    expect(unused).toEqual([]);
  });

  test('SD 2, with GELU and another padding id', async () => {
    const figures = readGolden('golden.safetensors', sd2);
    const encoder = await encoderIn(sd2);
    const last = await encoder.encode(tokensOf(figures));
    const penultimate = await encoder.encode(tokensOf(figures), { output: 'penultimate' });
    await encoder.dispose?.();
    const hidden = (of: typeof last) => concatenate(of.map((embedding) => embedding.hidden.data));
    expect(stageError('sd2', hidden(last), figures('text.last_hidden_state').data)).toBeLessThan(tolerance);
    expect(stageError('sd2', hidden(penultimate), figures('text.hidden_penultimate').data)).toBeLessThan(tolerance);
    const pooled = concatenate(last.map((embedding) => embedding.pooled!.data));
    expect(stageError('sd2', pooled, figures('text.pooled').data)).toBeLessThan(tolerance);
    expect(encoder.unusedTensors).toEqual([]);
  });

  test('penultimate hidden state, before and after the final norm', async () => {
    const encoder = await encoderIn();
    const want = golden('text.hidden_penultimate');
    const penultimate = await encoder.encode(tokens, { output: 'penultimate' });
    expect(stageError('sd1', concatenate(penultimate.map(({ hidden }) => hidden.data)), want.data)).toBeLessThan(
      tolerance,
    );

    const checkpoint = await openCheckpoint(await openFolder(sd1), 'text_encoder', { stems: ['model'] });
    const skipped = await encoder.encode(tokens, { clipSkip: 1 });
    await encoder.dispose?.();
    const [scale, shift] = await Promise.all(
      ['weight', 'bias'].map(async (name) => {
        const { file, offset, length } = checkpoint.tensor(`final_layer_norm.${name}`, [32]);
        return new Float32Array((await file.read()).slice(offset, offset + length).buffer);
      }),
    );
    const normalized = concatenate(chunks(want.data, 32).map((vector) => layerNorm(vector, scale, shift)));
    expect(stageError('sd1', concatenate(skipped.map(({ hidden }) => hidden.data)), normalized)).toBeLessThan(
      tolerance,
    );
    // clipSkip does not change the pooled embedding.
    expect(
      stageError('sd1', concatenate(skipped.map(({ pooled }) => pooled!.data)), golden('text.pooled').data),
    ).toBeLessThan(tolerance);
  });
});

function chunks(values: Float32Array, size: number): Float32Array[] {
  return Array.from({ length: values.length / size }, (_, i) => values.subarray(i * size, (i + 1) * size));
}

function layerNorm(values: Float32Array, scale: Float32Array, shift: Float32Array): Float32Array {
  const mean = values.reduce((sum, value) => sum + value, 0) / values.length;
  const variance = values.reduce((sum, value) => sum + (value - mean) ** 2, 0) / values.length;
  return values.map((value, i) => ((value - mean) / Math.sqrt(variance + 1e-5)) * scale[i] + shift[i]);
}
