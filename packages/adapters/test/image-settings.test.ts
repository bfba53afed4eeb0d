import { tensor } from '@sd/core';
import type { ModelCall } from '@sd/guidance';
import { describe, expect, test } from 'vitest';
import { readControls, useControls } from '../src/image-settings.js';
import { controlNetOptions, t2iAdapterOptions } from '../src/index.js';

const image = { width: 1, height: 1, data: new Uint8ClampedArray(4) };
const option = 'adapters.edges';
const read = (settings: unknown) => readControls(option, settings, controlNetOptions, 'a ControlNet');

const pass = { width: 64, height: 64, familyCondition: undefined, signal: undefined };
const call = (at: number) => ({ progress: { step: at, steps: 4, call: at, calls: 4 } }) as ModelCall;

/** What controls give at a call of the model: the sum of their strengths; and how often their images were read. */
async function given(settings: unknown, at: number) {
  let readings = 0;
  const use = useControls(await read(settings), async ({ strength }) => {
    readings += 1;
    return () => (now) => ({ residual: tensor('float32', [1], Float32Array.of(strength(now))) });
  });
  const conditions = [await use.condition?.(pass), await use.condition?.(pass)];
  await use.condition?.({ ...pass, width: 128 });
  return { sum: (await conditions[1]?.(call(at)))?.residual.data[0], spatial: use.spatial, readings };
}

describe('control images', () => {
  test.each<[string, unknown, number, number | undefined, number]>([
    ['none does nothing', undefined, 0, undefined, 0],
    ['an empty list does nothing', [], 0, undefined, 0],
    ['one acts at strength 1, and is read once a size', { image }, 0, 1, 2],
    [
      'several add up',
      [
        { image, strength: 0.5 },
        { image, strength: 0.25 },
      ],
      0,
      0.75,
      4,
    ],
    ['one that has not started does nothing', { image, start: 0.5 }, 1, 0, 2],
    ['nor one that has ended', { image, end: 0.5 }, 2, 0, 2],
    ['a strength follows the pass', { image, strength: (fraction: number) => fraction }, 3, 1, 2],
  ])('%s', async (_, settings, at, sum, readings) => {
    expect(await given(settings, at)).toEqual({ sum, spatial: readings > 0 ? true : undefined, readings });
  });

  test.each<[unknown, string, string]>([
    [5, option, 'must be an object with image, strength, start, end, guess, not 5.'],
    [{}, `${option}.image`, 'must be a Uint8Array'],
    [{ image, strength: '1' }, `${option}.strength`, 'must be a finite number'],
    [{ image, start: -1 }, `${option}.start`, 'must be from 0 to 1'],
    [{ image, start: 0.5, end: 0.5 }, `${option}.end`, 'must be more than its start, 0.5.'],
    [{ image, guess: 1 }, `${option}.guess`, 'must be true or false'],
    [{ image, name: 'edges' }, `${option}.name`, 'is not an option of a ControlNet.'],
    [[{ image }, { image, end: 2 }], `${option}[1].end`, 'must be from 0 to 1'],
  ])('settings that cannot be are named: %o', async (settings, name, message) => {
    await expect(read(settings)).rejects.toMatchObject({ option: name, message: expect.stringContaining(message) });
  });

  test('a T2I-Adapter does not guess', async () => {
    const guessing = readControls(option, { image, guess: true }, t2iAdapterOptions, 'a T2I-Adapter');
    await expect(guessing).rejects.toMatchObject({ option: `${option}.guess` });
  });
});
