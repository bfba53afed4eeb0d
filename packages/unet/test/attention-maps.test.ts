import { type Tensor, tensor } from '@sd/core';
import { beforeAll, describe, expect, test } from 'vitest';
import { fixture, readGolden } from '../../../fixtures/golden.js';
import { attentionMaps, mappedSamples, outputOf } from '../src/attention.js';
import { unetIn } from './unet.js';

const tokens = 10;

/** The first tokens of a map [1, tokens, h, w]. */
const firstTokens = ({ dims, data }: Tensor<'float32'>) => data.subarray(0, tokens * dims[2] * dims[3]);

const largestDifference = (got: Float32Array, want: Float32Array) =>
  got.reduce((largest, value, i) => Math.max(largest, Math.abs(value - want[i])), 0);

describe.each(['sd1', 'sd2', 'sdxl'])('the attention of %s', (model) => {
  const folder = fixture(`models/${model}`);
  const golden = readGolden('golden.safetensors', folder);
  const want = readGolden('attention-maps.safetensors', folder);
  const added =
    model === 'sdxl' ? { text_embeds: golden('unet.text_embeds'), time_ids: golden('unet.time_ids') } : undefined;
  const input = { sample: golden('unet.sample'), timestep: 500, context: golden('unet.context'), conditions: added };
  const extension = attentionMaps();
  let plain: Awaited<ReturnType<typeof unetIn>>;
  let mapped: typeof plain;
  beforeAll(async () => {
    plain = await unetIn(folder);
    mapped = plain.withExtensions([extension]);
    return async () => {
      await plain.dispose?.();
      await mapped.dispose?.();
    };
  });

  test('in every layer as diffusers computes it, of the marked sample alone', async () => {
    const conditions = { ...added, [mappedSamples]: tensor('float32', [2], Float32Array.of(0, 1)) };
    const outputs = await mapped.outputsOf({ ...input, conditions }, extension.layers.map(outputOf));
    expect(Object.keys(outputs)).toHaveLength(extension.layers.length);
    for (const layer of extension.layers) {
      const { dims } = want(`layers.${layer}`);
      expect(outputs[outputOf(layer)].dims).toEqual([1, 77, ...dims.slice(1)]);
      expect(largestDifference(firstTokens(outputs[outputOf(layer)]), want(`layers.${layer}`).data)).toBeLessThan(1e-6);
    }
  });

  test('changes no bit of the prediction, marked or not', async () => {
    const { data } = await plain.predict(input);
    const marked = { ...added, [mappedSamples]: tensor('float32', [2], Float32Array.of(1, 1)) };
    expect((await mapped.predict(input)).data).toEqual(data);
    const both = await mapped.outputsOf({ ...input, conditions: marked }, [
      'out_sample',
      outputOf(extension.layers[0]),
    ]);
    expect(both.out_sample.data).toEqual(data);
    expect(both[outputOf(extension.layers[0])].dims[0]).toBe(2);
  });

  test('of no sample has no rows', async () => {
    const outputs = await mapped.outputsOf(input, extension.layers.map(outputOf));
    for (const { dims } of Object.values(outputs)) expect(dims[0]).toBe(0);
  });
});
