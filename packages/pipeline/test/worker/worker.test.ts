import { MessageChannel } from 'node:worker_threads';
import {
  AbortError,
  type Backend,
  BackendError,
  CheckpointError,
  DisposedError,
  InvalidOptionError,
  type Source,
  SourceError,
  tensor,
  type Vae,
} from '@sd/core';
import { mockNoisePredictor } from '@sd/core/testing';
import { readParameters } from '@sd/image';
import { schedulerFromConfig } from '@sd/scheduler';
import { mockVae } from '@sd/vae/testing';
import { afterEach, describe, expect, test } from 'vitest';
import { createPipeline, type GenerateResult, type PipelineEvent, type StepEvent } from '../../src/index.js';
import type { LoadPipelineOptions } from '../../src/load/load-options.js';
import type { Stages } from '../../src/stages.js';
import { loadWorkerPipeline, type MessagePortLike } from '../../src/worker/page.js';
import { type ServePipelineOptions, servePipeline } from '../../src/worker/serve.js';
import { mockStages, road } from '../support.js';

const ports: MessagePortLike[] = [];
afterEach(() => {
  for (const port of ports.splice(0)) port.close?.();
});

const idleBackend = (closed: () => void = () => undefined): Backend => ({
  provider: 'mock',
  features: { float16: true },
  warnings: [{ code: 'one-thread', message: 'One thread.' }],
  load: () => Promise.reject(new BackendError('No graphs here.')),
  dispose: async () => closed(),
});

/** Both ends of a line, the worker's with a pipeline of stages without a model. */
function serve(stages: Partial<Stages> = {}, options: Partial<ServePipelineOptions> = {}): MessagePortLike {
  const { port1, port2 } = new MessageChannel();
  const [page, worker] = [port1, port2] as unknown as MessagePortLike[];
  ports.push(page!, worker!);
  servePipeline({
    port: worker!,
    createBackend: () => idleBackend(),
    load: async () =>
      createPipeline({
        ...mockStages(stages),
        schedulerByName: () => schedulerFromConfig({ _class_name: 'PNDMScheduler' }),
      }),
    ...options,
  });
  return page!;
}

/** A run, taken to its end. */
async function eventsOf(stream: AsyncGenerator<PipelineEvent, GenerateResult, void>) {
  const events: PipelineEvent[] = [];
  for (;;) {
    const { done, value } = await stream.next();
    if (done) return { events, result: value };
    events.push(value);
  }
}

const here = () => createPipeline(mockStages());

describe('a pipeline in a worker', () => {
  test('draws what the same pipeline draws here, event by event', async () => {
    const far = await loadWorkerPipeline(serve());
    const near = here();
    const options = { ...road, count: 2, steps: 3 };
    const wanted = await eventsOf(near.stream(options));
    const got = await eventsOf(far.stream(options));
    expect(got.events).toHaveLength(wanted.events.length);
    for (const [i, event] of wanted.events.entries()) {
      const other = got.events[i]!;
      expect(other.type).toBe(event.type);
      if (event.type === 'step') {
        const { index, step, steps, timestep, latents, denoised } = event;
        expect(other).toMatchObject({ index, step, steps, timestep, latents, denoised });
      }
      if (event.type === 'image') expect(other).toMatchObject({ image: { data: event.image.data } });
    }
    expect(got.result.seeds).toEqual([1, 2]);
    expect(got.result.images.map(({ data }) => data)).toEqual(wanted.result.images.map(({ data }) => data));
    await far.dispose();
  });

  test('makes previews when asked, also of a run that is over', async () => {
    const far = await loadWorkerPipeline(serve());
    const near = here();
    const previews: unknown[] = [];
    await near.generate({ ...road, onStep: async (step) => void previews.push((await step.preview()).data) });
    const steps: StepEvent[] = [];
    await far.generate({ ...road, onStep: (step) => void steps.push(step) });
    expect(steps).toHaveLength(2);
    for (const [i, step] of steps.entries()) expect((await step.preview(0)).data).toEqual(previews[i]);
    await expect(steps[0]!.preview(1)).rejects.toMatchObject({ code: 'invalid-option', option: 'frame' });
    await far.dispose();
  });

  test('writes PNG files there, and here once it is gone', async () => {
    const far = await loadWorkerPipeline(serve());
    const { images } = await far.generate(road);
    const there = await images[0]!.toPng();
    await far.dispose();
    expect(await images[0]!.toPng()).toEqual(there);
    expect((await readParameters(there))?.settings).toMatchObject({ Seed: '1', Size: '64x64' });
  });

  test('tells what it runs on', async () => {
    const { provider, float16, warnings, dispose } = await loadWorkerPipeline(serve());
    expect({ provider, float16 }).toEqual({ provider: 'mock', float16: true });
    expect(warnings).toEqual([{ code: 'one-thread', message: 'One thread.' }]);
    await dispose();
  });

  test('tells what was exported inside its U-Net', async () => {
    const sd = await loadWorkerPipeline(
      serve({ noisePredictor: Object.assign(mockNoisePredictor(), { controlNets: 1 }) }),
    );
    expect(sd.attached).toEqual([{ name: 'controlnet', kind: 'controlnet' }]);
    await expect(sd.detach('controlnet')).rejects.toThrow('exported inside the model');
    await sd.dispose();
  });

  test('gets pictures, addresses and names across', async () => {
    const given: unknown[] = [];
    const vae: Vae = {
      ...mockVae(),
      encode: async ({ dims }) => ({ mean: tensor('float32', [1, 4, dims[2]! / 8, dims[3]! / 8]) }),
    };
    const load = async (source: string | Source | undefined, options: LoadPipelineOptions) => {
      given.push(source, options);
      return createPipeline(mockStages({ vae }));
    };
    const far = await loadWorkerPipeline(serve({}, { load }), 'models/x', {
      variant: 'fp16',
      components: { vae: new URL('https://models.example/vae/') },
    });
    expect(given).toMatchObject(['models/x', { variant: 'fp16', components: { vae: 'https://models.example/vae/' } }]);
    const first = await far.generate(road);
    const near = createPipeline(mockStages({ vae }));
    const [image] = first.images;
    const again = await far.generate({ ...road, image: image!, strength: 1, seed: 2n });
    const wanted = await near.generate({ ...road, image: image!, strength: 1, seed: 2n });
    expect(again.seeds).toEqual([2n]);
    expect(again.images[0]!.data).toEqual(wanted.images[0]!.data);
    expect(image!.data).toHaveLength(64 * 64 * 4);
    await far.dispose();
  });

  test('hands files over by their paths', async () => {
    let source: Source | undefined;
    const load = async (given: string | Source | undefined) => {
      source = given as Source;
      return here();
    };
    const files = new Map([['unet/config.json', new Blob(['{"a":1}'])]]);
    const far = await loadWorkerPipeline(serve({}, { load }), files);
    expect(new TextDecoder().decode(await source!.read('unet/config.json'))).toBe('{"a":1}');
    await far.dispose();
  });

  test('queues requests, and goes on with the next when one is left', async () => {
    const far = await loadWorkerPipeline(serve());
    const order: string[] = [];
    const left = far.stream({ ...road, steps: 5 });
    await left.next();
    const second = far.generate({ ...road, seed: 2 }).then(() => order.push('second'));
    const third = far.generate({ ...road, seed: 3 }).then(() => order.push('third'));
    await left.return(undefined as never);
    order.push('left');
    await Promise.all([second, third]);
    expect(order).toEqual(['left', 'second', 'third']);
    await far.dispose();
  });
});

describe('what ends a run in a worker', () => {
  test('a signal, in the middle of a step, and the next run goes on', async () => {
    let release!: () => void;
    const plain = mockStages().noisePredictor;
    const slow = {
      ...plain,
      async predict(...input: Parameters<typeof plain.predict>) {
        if (release === undefined)
          await new Promise<void>((resolve) => {
            release = resolve;
          });
        return plain.predict(...input);
      },
    };
    const far = await loadWorkerPipeline(serve({ noisePredictor: slow }));
    const abort = new AbortController();
    const run = far.generate({ ...road, signal: abort.signal });
    while (release === undefined) await new Promise((resolve) => setTimeout(resolve, 1));
    abort.abort('enough');
    const error = await run.catch((error: unknown) => error);
    expect(error).toBeInstanceOf(AbortError);
    expect((error as AbortError).cause).toBe('enough');
    release();
    expect((await far.generate(road)).images).toHaveLength(1);
    await far.dispose();
  });

  test('a signal that is aborted already', async () => {
    const far = await loadWorkerPipeline(serve());
    await expect(far.generate({ ...road, signal: AbortSignal.abort() })).rejects.toBeInstanceOf(AbortError);
    await expect(loadWorkerPipeline(serve(), undefined, { signal: AbortSignal.abort() })).rejects.toBeInstanceOf(
      AbortError,
    );
    await far.dispose();
  });

  test('what onStep throws, here', async () => {
    const far = await loadWorkerPipeline(serve());
    const onStep = () => {
      throw new RangeError('mine');
    };
    await expect(far.generate({ ...road, onStep })).rejects.toThrow(RangeError);
    expect((await far.generate(road)).images).toHaveLength(1);
    await far.dispose();
  });

  test('its end, with a DisposedError for all that wait', async () => {
    let closed = 0;
    const port = serve(
      {},
      {
        createBackend: () =>
          idleBackend(() => {
            closed += 1;
          }),
      },
    );
    const far = await loadWorkerPipeline(port);
    const first = far.stream({ ...road, steps: 50 });
    await first.next();
    const next = first.next().then(() => first.next());
    const second = far.generate(road);
    const outcomes = Promise.allSettled([next, second]);
    await Promise.all([far.dispose(), far.dispose()]);
    for (const outcome of await outcomes) {
      expect(outcome).toMatchObject({ status: 'rejected', reason: expect.any(DisposedError) });
    }
    await expect(far.generate(road)).rejects.toBeInstanceOf(DisposedError);
    await expect(far.attach('x.safetensors')).rejects.toBeInstanceOf(DisposedError);
    expect(closed).toBe(1);
  });

  test('its loss, with a BackendError', async () => {
    const listeners = new Map<string, (event: MessageEvent) => void>();
    const port = serve({
      noisePredictor: { ...mockStages().noisePredictor, predict: () => new Promise(() => undefined) },
    });
    const lossy: MessagePortLike = {
      postMessage: (message, transfer) => port.postMessage(message, transfer),
      addEventListener(type, listener) {
        listeners.set(type, listener);
        port.addEventListener(type, listener);
      },
      removeEventListener: (type, listener) => port.removeEventListener(type, listener),
      start: () => port.start?.(),
    };
    const far = await loadWorkerPipeline(lossy);
    const runs = Promise.allSettled([far.generate(road), far.generate(road)]);
    await new Promise((resolve) => setTimeout(resolve, 5));
    listeners.get('error')!({ message: 'Out of memory' } as never);
    for (const run of await runs) {
      expect(run).toMatchObject({ status: 'rejected', reason: expect.any(BackendError) });
      expect((run as PromiseRejectedResult).reason.message).toContain('Out of memory');
    }
    await expect(far.generate(road)).rejects.toBeInstanceOf(BackendError);
    await far.dispose();
  });
});

describe('errors from a worker', () => {
  const failing = (error: unknown) => serve({}, { load: () => Promise.reject(error) });
  const cases = [
    [new InvalidOptionError('steps', 'must be more.'), { option: 'steps', code: 'invalid-option' }],
    [new SourceError('not-found', 'unet/x', 'There is no unet/x.'), { path: 'unet/x', code: 'not-found' }],
    [
      new CheckpointError('missing-tensor', 'a.safetensors', 'has no b.', { tensor: 'b', cause: new TypeError('why') }),
      { file: 'a.safetensors', tensor: 'b', code: 'missing-tensor', cause: { name: 'TypeError', message: 'why' } },
    ],
    [new BackendError('No room.', { reason: 'out-of-memory' }), { reason: 'out-of-memory', code: 'backend' }],
  ] as const;
  test.each(cases)('%s keeps its class and fields', async (thrown, fields) => {
    const error = await loadWorkerPipeline(failing(thrown)).catch((error: unknown) => error);
    expect(error).toBeInstanceOf(thrown.constructor);
    expect(error).toMatchObject({ name: thrown.name, message: thrown.message, ...fields });
  });

  test('others keep their name', async () => {
    await expect(loadWorkerPipeline(failing(new RangeError('deep')))).rejects.toMatchObject({
      name: 'RangeError',
      message: 'deep',
    });
  });

  test('options that cannot be are refused there', async () => {
    const far = await loadWorkerPipeline(serve());
    await expect(far.generate({ prompt: 'x', steps: 0 })).rejects.toMatchObject({ option: 'steps' });
    await expect(far.detach('x')).rejects.toBeInstanceOf(InvalidOptionError);
    await expect(far.generate({ ...road, signal: {} as never })).rejects.toMatchObject({ option: 'signal' });
    await expect(far.attach('x.safetensors', { signal: 5 as never })).rejects.toMatchObject({ option: 'signal' });
    await expect(far.attach('x.safetensors', { strength: 1 } as object)).rejects.toMatchObject({ option: 'strength' });
    await far.dispose();
  });
});

describe('functions', () => {
  test.each([
    ['scheduler', { scheduler: schedulerFromConfig({ _class_name: 'DDIMScheduler' }) }],
    ['guidance', { guidance: () => () => new Float32Array() }],
    ['adapters', { adapters: { style: (fraction: number) => fraction } }],
    ['rng', { rng: () => ({ randn: () => new Float32Array() }) }],
  ])('are refused by name: %s', async (option, options) => {
    const far = await loadWorkerPipeline(serve());
    const error = await far.generate({ ...road, ...(options as object) }).catch((error: unknown) => error);
    expect(error).toMatchObject({ option, message: expect.stringContaining('servePipeline') });
    await far.dispose();
  });

  test('can be given by the worker’s script', async () => {
    const seen: unknown[] = [];
    const prepare = <T extends object>(options: T) => ({
      ...options,
      scheduler: schedulerFromConfig({ _class_name: 'DDIMScheduler' }),
    });
    const far = await loadWorkerPipeline(serve({}, { prepare }));
    await far.generate({ ...road, onStep: ({ steps }) => void seen.push(steps) });
    expect(seen).toEqual([2, 2]);
    await far.dispose();
  });

  test('a source with functions is refused', async () => {
    const source = { read: async () => new Uint8Array() } as never;
    await expect(loadWorkerPipeline(serve(), source)).rejects.toMatchObject({ option: 'source' });
  });
});
