import type { TextEmbedding } from '@sd/core';
import { tensor } from '@sd/core';
import { describe, expect, test } from 'vitest';
import { classifierFreeGuidance, type GuidanceInput } from '../src/index.js';

const text = (value: number): TextEmbedding => ({ hidden: tensor('float32', [1, 1], Float32Array.of(value)) });
const [positive, negative] = [text(1), text(-1)];

const along = Float32Array.of(1, -0.5, 1, -2, 0.125, 3);
const without = Float32Array.of(0.5, -1, 2, 0.25, -0.75, 1.5);

/** Guides the two outputs above, and notes for which texts they were asked. */
async function guided(options: Parameters<typeof classifierFreeGuidance>[0]) {
  const calls: (readonly TextEmbedding[])[] = [];
  const input: GuidanceInput = {
    x: new Float32Array(6),
    level: { alpha: 1, sigma: 1, timestep: 1 },
    positive,
    negative,
    async predict(texts) {
      calls.push(texts);
      return texts.map((one) => (one === positive ? along : without));
    },
  };
  return { output: [...(await classifierFreeGuidance(options)(input))], calls };
}

describe('classifier-free guidance', () => {
  test.each([1, 0.5, 0])('at a scale of %f asks once, for the positive prompt alone', async (scale) => {
    expect(await guided({ scale, rescale: 0.7 })).toEqual({ output: [...along], calls: [[positive]] });
  });

  test('above 1 asks for both prompts as one batch, and goes beyond the positive', async () => {
    // torch: negative + 7.5 * (positive - negative)
    expect(await guided({ scale: 7.5 })).toEqual({
      output: [4.25, 2.75, -5.5, -16.625, 5.8125, 12.75],
      calls: [[negative, positive]],
    });
  });

  test("rescales as diffusers' rescale_noise_cfg(guided, positive, 0.7)", async () => {
    const { output } = await guided({ scale: 7.5, rescale: 0.7 });
    const want = [
      1.762082576751709, 1.1401710510253906, -2.2803421020507812, -6.892852306365967, 2.409907102584839,
      5.286247730255127,
    ];
    for (const [i, value] of want.entries()) expect(output[i]).toBeCloseTo(value, 5);
  });

  test('leaves the outputs of the model as they were', async () => {
    const before = [[...along], [...without]];
    await guided({ scale: 7.5, rescale: 1 });
    expect([[...along], [...without]]).toEqual(before);
  });
});
