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
import { sd1 } from '../../../../fixtures/golden.js';
import {
  createPipeline,
  type GenerateResult,
  loadPipeline,
  type PipelineEvent,
  type StepEvent,
} from '../../src/index.js';
import type { LoadPipelineOptions } from '../../src/load/load-options.js';
import type { Stages } from '../../src/stages.js';
import { loadWorkerPipeline, type MessagePortLike } from '../../src/worker/client.js';
import { type ServePipelineOptions, servePipeline } from '../../src/worker/serve.js';
import { mockStages, road } from '../support.js';

const ports: MessagePortLike[] = [];
afterEach(() => {
  for (const port of ports.splice(0)) port.close?.();
});

const idleBackend = (onDispose: () => void = () => undefined): Backend => ({
  provider: 'mock',
  features: { float16: true },
  warnings: [{ code: 'one-thread', message: 'One thread.' }],
  load: () => Promise.reject(new BackendError('No graphs here.')),
  dispose: async () => onDispose(),
});

/** The page's end of a connection; the worker's end serves a pipeline of mock stages. */
function serve(stages: Partial<Stages> = {}, options: Partial<ServePipelineOptions> = {}): MessagePortLike {
  const { port1, port2 } = new MessageChannel();
  const [page, worker] = [port1, port2] as unknown as MessagePortLike[];
  ports.push(page, worker);
  servePipeline({
    port: worker,
    createBackend: () => idleBackend(),
    load: async () =>
      createPipeline({
        ...mockStages(stages),
        schedulerByName: () => schedulerFromConfig({ _class_name: 'PNDMScheduler' }),
      }),
    ...options,
  });
  return page;
}

/** The events and the result of a whole run. */
async function eventsOf(stream: AsyncGenerator<PipelineEvent, GenerateResult, void>) {
  const events: PipelineEvent[] = [];
  for (;;) {
    const { done, value } = await stream.next();
    if (done) return { events, result: value };
    events.push(value);
  }
}

const localPipeline = () => createPipeline(mockStages());

describe('a pipeline in a worker', () => {
  test('sends attention maps with each image and with the result', async () => {
    const remote = await loadWorkerPipeline(serve({}, { load: () => loadPipeline(sd1) }));
    const { events, result } = await eventsOf(remote.stream({ ...road, attentionMaps: { words: ['car'] } }));
    const [[map]] = result.attentionMaps!;
    expect(map).toMatchObject({ word: 'car', index: 2, prompt: 0, width: 8, height: 8 });
    expect(map.data).toBeInstanceOf(Float32Array);
    expect(map.data.every((value) => value > 0 && value < 1)).toBe(true);
    expect(events.at(-2)).toMatchObject({ type: 'image', attentionMaps: [map] });
    expect(events.at(-1)!.type).toBe('done');
    await remote.dispose();
  });

  test('generates the same images as a local pipeline, event by event', async () => {
    const remote = await loadWorkerPipeline(serve());
    const local = localPipeline();
    const options = { ...road, count: 2, steps: 3 };
    const expected = await eventsOf(local.stream(options));
    const actual = await eventsOf(remote.stream(options));
    expect(actual.events).toHaveLength(expected.events.length);
    for (const [i, event] of expected.events.entries()) {
      const other = actual.events[i];
      expect(other.type).toBe(event.type);
      if (event.type === 'step') {
        const { index, step, steps, timestep, latents, denoised } = event;
        expect(other).toMatchObject({ index, step, steps, timestep, latents, denoised });
      }
      if (event.type === 'image') expect(other).toMatchObject({ image: { data: event.image.data } });
    }
    expect(actual.result.seeds).toEqual([1, 2]);
    expect(actual.result.images.map(({ data }) => data)).toEqual(expected.result.images.map(({ data }) => data));
    await remote.dispose();
  });

  test('makes previews on demand, also after the run', async () => {
    const remote = await loadWorkerPipeline(serve());
    const local = localPipeline();
    const previews: unknown[] = [];
    await local.generate({ ...road, onStep: async (step) => void previews.push((await step.preview()).data) });
    const steps: StepEvent[] = [];
    await remote.generate({ ...road, onStep: (step) => void steps.push(step) });
    expect(steps).toHaveLength(2);
    for (const [i, step] of steps.entries()) expect((await step.preview(0)).data).toEqual(previews[i]);
    await expect(steps[0].preview(1)).rejects.toMatchObject({ code: 'invalid-option', option: 'frame' });
    await remote.dispose();
  });

  test('encodes PNG files in the worker, and locally once it has ended', async () => {
    const remote = await loadWorkerPipeline(serve());
    const { images } = await remote.generate(road);
    const fromWorker = await images[0].toPng();
    await remote.dispose();
    expect(await images[0].toPng()).toEqual(fromWorker);
    expect((await readParameters(fromWorker))?.settings).toMatchObject({ Seed: '1', Size: '64x64' });
  });

  test('reports its provider, precision and warnings', async () => {
    const { provider, float16, warnings, dispose } = await loadWorkerPipeline(serve());
    expect({ provider, float16 }).toEqual({ provider: 'mock', float16: true });
    expect(warnings).toEqual([{ code: 'one-thread', message: 'One thread.' }]);
    await dispose();
  });

  test('reports a ControlNet that was exported inside its U-Net', async () => {
    const sd = await loadWorkerPipeline(
      serve({ noisePredictor: Object.assign(mockNoisePredictor(), { controlNets: 1 }) }),
    );
    expect(sd.attached).toEqual([{ name: 'controlnet', kind: 'controlnet' }]);
    await expect(sd.detach('controlnet')).rejects.toThrow('exported inside the model');
    await sd.dispose();
  });

  test('sends images, addresses and names', async () => {
    const given: unknown[] = [];
    const vae: Vae = {
      ...mockVae(),
      encode: async ({ dims }) => ({ mean: tensor('float32', [1, 4, dims[2] / 8, dims[3] / 8]) }),
    };
    const load = async (source: string | Source | undefined, options: LoadPipelineOptions) => {
      given.push(source, options);
      return createPipeline(mockStages({ vae }));
    };
    const remote = await loadWorkerPipeline(serve({}, { load }), 'models/x', {
      variant: 'fp16',
      components: { vae: new URL('https://models.example/vae/') },
    });
    expect(given).toMatchObject(['models/x', { variant: 'fp16', components: { vae: 'https://models.example/vae/' } }]);
    const first = await remote.generate(road);
    const local = createPipeline(mockStages({ vae }));
    const [image] = first.images;
    const again = await remote.generate({ ...road, image, strength: 1, seed: 2n });
    const expected = await local.generate({ ...road, image, strength: 1, seed: 2n });
    expect(again.seeds).toEqual([2n]);
    expect(again.images[0].data).toEqual(expected.images[0].data);
    expect(image.data).toHaveLength(64 * 64 * 4);
    await remote.dispose();
  });

  test('sends files by their paths', async () => {
    let source!: Source;
    const load = async (given: string | Source | undefined) => {
      source = given as Source;
      return localPipeline();
    };
    const files = new Map([['unet/config.json', new Blob(['{"a":1}'])]]);
    const remote = await loadWorkerPipeline(serve({}, { load }), files);
    expect(new TextDecoder().decode(await source.read('unet/config.json'))).toBe('{"a":1}');
    await remote.dispose();
  });

  test('queues requests, and starts the next when one is abandoned', async () => {
    const remote = await loadWorkerPipeline(serve());
    const order: string[] = [];
    const abandoned = remote.stream({ ...road, steps: 5 });
    await abandoned.next();
    const second = remote.generate({ ...road, seed: 2 }).then(() => order.push('second'));
    const third = remote.generate({ ...road, seed: 3 }).then(() => order.push('third'));
    await abandoned.return(undefined as never);
    order.push('abandoned');
    await Promise.all([second, third]);
    expect(order).toEqual(['abandoned', 'second', 'third']);
    await remote.dispose();
  });
});

describe('a run in a worker ends', () => {
  test('on a signal in the middle of a step, and the next run proceeds', async () => {
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
    const remote = await loadWorkerPipeline(serve({ noisePredictor: slow }));
    const abort = new AbortController();
    const run = remote.generate({ ...road, signal: abort.signal });
    while (release === undefined) await new Promise((resolve) => setTimeout(resolve, 1));
    abort.abort('enough');
    const error = await run.catch((error: unknown) => error);
    expect(error).toBeInstanceOf(AbortError);
    expect((error as AbortError).cause).toBe('enough');
    release();
    expect((await remote.generate(road)).images).toHaveLength(1);
    await remote.dispose();
  });

  test('on a signal that was aborted before', async () => {
    const remote = await loadWorkerPipeline(serve());
    await expect(remote.generate({ ...road, signal: AbortSignal.abort() })).rejects.toBeInstanceOf(AbortError);
    await expect(loadWorkerPipeline(serve(), undefined, { signal: AbortSignal.abort() })).rejects.toBeInstanceOf(
      AbortError,
    );
    await remote.dispose();
  });

  test('with the error that onStep throws', async () => {
    const remote = await loadWorkerPipeline(serve());
    const onStep = () => {
      throw new RangeError('mine');
    };
    await expect(remote.generate({ ...road, onStep })).rejects.toThrow(RangeError);
    expect((await remote.generate(road)).images).toHaveLength(1);
    await remote.dispose();
  });

  test('when the pipeline is disposed, with a DisposedError for all pending calls', async () => {
    let disposals = 0;
    const port = serve(
      {},
      {
        createBackend: () =>
          idleBackend(() => {
            disposals += 1;
          }),
      },
    );
    const remote = await loadWorkerPipeline(port);
    const first = remote.stream({ ...road, steps: 50 });
    await first.next();
    const next = first.next().then(() => first.next());
    const second = remote.generate(road);
    const outcomes = Promise.allSettled([next, second]);
    await Promise.all([remote.dispose(), remote.dispose()]);
    for (const outcome of await outcomes) {
      expect(outcome).toMatchObject({ status: 'rejected', reason: expect.any(DisposedError) });
    }
    await expect(remote.generate(road)).rejects.toBeInstanceOf(DisposedError);
    await expect(remote.attach('x.safetensors')).rejects.toBeInstanceOf(DisposedError);
    expect(disposals).toBe(1);
  });

  test('when the worker is lost, with a BackendError', async () => {
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
    const remote = await loadWorkerPipeline(lossy);
    const runs = Promise.allSettled([remote.generate(road), remote.generate(road)]);
    await new Promise((resolve) => setTimeout(resolve, 5));
    listeners.get('error')?.({ message: 'Out of memory' } as never);
    for (const run of await runs) {
      expect(run).toMatchObject({ status: 'rejected', reason: expect.any(BackendError) });
      expect((run as PromiseRejectedResult).reason.message).toContain('Out of memory');
    }
    await expect(remote.generate(road)).rejects.toBeInstanceOf(BackendError);
    await remote.dispose();
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

  test('errors of other classes keep their name', async () => {
    await expect(loadWorkerPipeline(failing(new RangeError('deep')))).rejects.toMatchObject({
      name: 'RangeError',
      message: 'deep',
    });
  });

  test('impossible options are refused by the worker', async () => {
    const remote = await loadWorkerPipeline(serve());
    await expect(remote.generate({ prompt: 'x', steps: 0 })).rejects.toMatchObject({ option: 'steps' });
    await expect(remote.detach('x')).rejects.toBeInstanceOf(InvalidOptionError);
    await expect(remote.generate({ ...road, signal: {} as never })).rejects.toMatchObject({ option: 'signal' });
    await expect(remote.attach('x.safetensors', { signal: 5 as never })).rejects.toMatchObject({ option: 'signal' });
    await expect(remote.attach('x.safetensors', { strength: 1 } as object)).rejects.toMatchObject({
      option: 'strength',
    });
    await remote.dispose();
  });
});

describe('functions', () => {
  test.each([
    ['scheduler', { scheduler: schedulerFromConfig({ _class_name: 'DDIMScheduler' }) }],
    ['guidance', { guidance: () => () => new Float32Array() }],
    ['adapters', { adapters: { style: (fraction: number) => fraction } }],
    ['rng', { rng: () => ({ randn: () => new Float32Array() }) }],
  ])('are refused by name: %s', async (option, options) => {
    const remote = await loadWorkerPipeline(serve());
    const error = await remote.generate({ ...road, ...(options as object) }).catch((error: unknown) => error);
    expect(error).toMatchObject({ option, message: expect.stringContaining('servePipeline') });
    await remote.dispose();
  });

  test('can be provided by the worker’s script', async () => {
    const seen: unknown[] = [];
    const prepare = <T extends object>(options: T) => ({
      ...options,
      scheduler: schedulerFromConfig({ _class_name: 'DDIMScheduler' }),
    });
    const remote = await loadWorkerPipeline(serve({}, { prepare }));
    await remote.generate({ ...road, onStep: ({ steps }) => void seen.push(steps) });
    expect(seen).toEqual([2, 2]);
    await remote.dispose();
  });

  test('a source with functions is refused', async () => {
    const source = { read: async () => new Uint8Array() } as never;
    await expect(loadWorkerPipeline(serve(), source)).rejects.toMatchObject({ option: 'source' });
  });
});
