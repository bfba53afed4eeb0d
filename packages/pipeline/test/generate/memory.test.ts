import { MemoryLimitError, type RandomSource, torchCpu } from '@sd/core';
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest';
import { createPipeline, type GenerateOptions, loadPipeline, type Pipeline } from '../../src/index.js';
import { machineMemory } from '../../src/machine-memory.js';
import { mockStages, road } from '../support.js';

const prompts = (count: number) => Array.from({ length: count }, () => ({ text: 'a' }));
const few = { prompt: 'a', steps: 1, width: 64, height: 64 };

describe('a run that would take more memory than the limit is refused before anything is allocated', () => {
  let sd: Pipeline;
  beforeAll(async () => {
    sd = await loadPipeline(undefined, { memoryLimit: 16e9 });
  });
  afterAll(() => sd.dispose());

  test.each<[string, GenerateOptions]>([
    ['width 1e9', { ...few, width: 1e9 }],
    ['width and height 2^40', { ...few, width: 2 ** 40, height: 2 ** 40 }],
    ['65536 x 65536', { ...few, width: 65536, height: 65536 }],
    ['8192 x 8192', { ...few, width: 8192, height: 8192 }],
    ['count 1e7', { ...few, count: 1e7 }],
    ['count 2^53 - 1', { ...few, count: 2 ** 53 - 1 }],
    ['count 1e8 with variations', { ...few, count: 1e8, variationStrength: 0.5 }],
    ['count 1e8 of latents', { ...few, count: 1e8, output: 'latents' }],
    ['steps 1e9', { ...few, steps: 1e9 }],
    ['upscale.factor 1e6', { ...few, upscale: { factor: 1e6 } }],
    ['upscale 2^40', { ...few, upscale: { width: 2 ** 40, height: 2 ** 40 } }],
    ['an image at 65536 x 65536', { ...few, width: 65536, height: 65536, fit: 'cover', image: pixels(8) }],
    ['100,000 prompts', { ...few, prompt: prompts(100_000) }],
    ['AND 2,000 times', { ...few, width: 2048, height: 1024, syntax: 'a1111', prompt: 'a AND '.repeat(2000) }],
  ])('%s', async (_, options) => {
    const error = await sd.generate(options).catch((reason: unknown) => reason);
    expect(error).toBeInstanceOf(MemoryLimitError);
    const { code, estimatedBytes, limitBytes, message } = error as MemoryLimitError;
    expect(code).toBe('memory-limit');
    expect(limitBytes).toBe(16e9);
    expect(estimatedBytes).toBeGreaterThan(limitBytes);
    expect(message).toMatch(
      /would take about [\d.e+]+ GB .+ more than the limit of 16 GB: .+ for its results, .+memoryLimit/,
    );
  });

  test('sizes that fit are drawn', async () => {
    expect((await sd.generate({ ...few, width: 128, count: 2 })).images).toHaveLength(2);
  });
});

function pixels(side: number) {
  return { width: side, height: side, data: new Uint8ClampedArray(side * side * 4) };
}

test('a limit may be given, or be lifted', async () => {
  const stages = mockStages();
  stages.noisePredictor.workingBytes = (n, height, width) => 1e9 * n * height * width;
  const predict = vi.spyOn(stages.noisePredictor, 'predict');
  await expect(createPipeline({ ...stages, memoryLimit: 100e9 }).generate(road)).rejects.toMatchObject({
    estimatedBytes: expect.closeTo(1.3 * 1e9 * 2 * 64, -7),
  });
  expect(predict).not.toHaveBeenCalled();
  const unlimited = createPipeline({ ...stages, memoryLimit: Number.POSITIVE_INFINITY });
  expect((await unlimited.generate(road)).images).toHaveLength(1);
  await expect(loadPipeline(undefined, { memoryLimit: 0 })).rejects.toMatchObject({ option: 'memoryLimit' });
});

test('the machine has memory', () => {
  expect(machineMemory()).toBeGreaterThan(1e8);
  expect(machineMemory()).toBeLessThan(1e14);
});

test('an image’s generator is made when its turn comes', async () => {
  const made: (number | bigint)[] = [];
  const rng = (seed: number | bigint): RandomSource => {
    made.push(seed);
    return torchCpu(seed);
  };
  const stream = createPipeline(mockStages()).stream({ ...road, count: 1000, rng, steps: 1 });
  for (let i = 0; i < 3; i++) await stream.next();
  expect(made.length).toBeLessThan(5);
  await stream.return(undefined as never);
});
