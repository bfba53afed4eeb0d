import { torchCpu } from '@sd/core';
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest';
import { createPipeline, loadPipeline, type Pipeline, type Stages } from '../src/index.js';
import { gate, mockStages, road } from './support.js';

const aborted = { name: 'AbortError', code: 'aborted' };

describe('a run is aborted', () => {
  test('before it starts: nothing runs', async () => {
    const stages = mockStages();
    const encode = vi.spyOn(stages.textEncoders[0].textEncoder, 'encode');
    const sd = createPipeline(stages);
    const signal = AbortSignal.abort('no more');
    await expect(sd.generate({ ...road, signal })).rejects.toMatchObject({ ...aborted, cause: 'no more' });
    expect(encode).not.toHaveBeenCalled();
    expect((await sd.generate(road)).images).toHaveLength(1);
  });

  test('while it waits in the queue: it rejects at once, and the next ones move up', async () => {
    const { passed, open } = gate();
    const sd = createPipeline(mockStages());
    const ended: string[] = [];
    const run = (name: string, options: object) => sd.generate({ ...road, ...options }).finally(() => ended.push(name));
    const controller = new AbortController();
    const first = run('first', { onStep: () => passed });
    const second = run('second', { signal: controller.signal });
    const third = run('third', {});
    controller.abort();
    await expect(second).rejects.toMatchObject(aborted);
    expect(ended).toEqual(['second']);
    open();
    expect((await third).images).toHaveLength(1);
    await first;
    expect(ended).toEqual(['second', 'first', 'third']);
  });

  test('between two steps', async () => {
    const stages = mockStages();
    const predict = vi.spyOn(stages.noisePredictor, 'predict');
    const sd = createPipeline(stages);
    const controller = new AbortController();
    const onStep = () => controller.abort();
    await expect(sd.generate({ ...road, signal: controller.signal, onStep })).rejects.toMatchObject(aborted);
    expect(predict).toHaveBeenCalledTimes(1);
  });

  test('after the last step: nothing is decoded', async () => {
    const stages = mockStages();
    const decode = vi.spyOn(stages.vae, 'decode');
    const controller = new AbortController();
    const onStep = () => controller.abort();
    const { signal } = controller;
    await expect(createPipeline(stages).generate({ ...road, steps: 1, signal, onStep })).rejects.toMatchObject(aborted);
    expect(decode).not.toHaveBeenCalled();
  });

  test.each([
    ['encodes', ({ textEncoders }: Stages) => textEncoders[0].textEncoder, 'encode', []],
    ['predicts', ({ noisePredictor }: Stages) => noisePredictor, 'predict', ['encode', 'step']],
    ['decodes', ({ vae }: Stages) => vae, 'decode', ['encode', 'step']],
  ] as const)('while a stage %s that ignores the signal', async (_, stageOf, method, expected) => {
    const stages = mockStages();
    const controller = new AbortController();
    const stage = stageOf(stages) as unknown as Record<string, (input: unknown) => Promise<unknown>>;
    const work = stage[method];
    stage[method] = (input) => {
      controller.abort();
      return work(input);
    };
    const sd = createPipeline(stages);
    const { signal } = controller;
    const seen: string[] = [];
    const reading = (async () => {
      for await (const { type } of sd.stream({ ...road, steps: 1, signal })) seen.push(type);
    })();
    await expect(reading).rejects.toMatchObject(aborted);
    expect(seen).toEqual(expected);
    expect((await sd.generate({ ...road, steps: 1 })).images).toHaveLength(1);
  });
});

describe('with the embedded model', () => {
  let sd: Pipeline;
  beforeAll(async () => {
    sd = await loadPipeline();
  });
  afterAll(() => sd.dispose());

  test.each([['encode'], ['step'], ['image']])(
    'a run that is aborted at its event %s does not affect later runs',
    async (at) => {
      const before = await sd.generate(road);
      const controller = new AbortController();
      const events = sd.stream({ ...road, count: 2, signal: controller.signal });
      const reading = (async () => {
        for await (const { type } of events) if (type === at) queueMicrotask(() => controller.abort());
      })();
      await expect(reading).rejects.toMatchObject(aborted);
      const after = await sd.generate(road);
      expect(after.images[0].data).toEqual(before.images[0].data);
    },
  );

  test('a run that is aborted while a stage runs ends without waiting for it', async () => {
    const controller = new AbortController();
    const rng = (seed: number | bigint) => {
      const { randn } = torchCpu(seed);
      return {
        randn(count: number) {
          setImmediate(() => controller.abort());
          return randn(count);
        },
      };
    };
    const onStep = vi.fn();
    const { signal } = controller;
    await expect(sd.generate({ ...road, steps: 50, rng, signal, onStep })).rejects.toMatchObject(aborted);
    expect(onStep).not.toHaveBeenCalled();
    expect((await sd.generate(road)).images).toHaveLength(1);
  });
});
