import { throwIfAborted, untilAborted } from '@sd/core';
import { enlarge } from '@sd/image';
import type { Engine, EngineEvent, Job } from '../../src/index.js';

export interface FakeEngineOptions {
  /** Called for each job that runs; it draws once the promise resolves. */
  onRun?(job: Job, signal: AbortSignal): Promise<void> | void;
}

/** An engine for tests of what surrounds one: it draws gray images of 8 x 8 pixels at once. */
export function fakeEngine({ onRun }: FakeEngineOptions = {}): Engine & { readonly jobs: Job[] } {
  const jobs: Job[] = [];
  let isClosed = false;
  return {
    jobs,
    models: async () => [{ name: 'gray', created: 0 }],
    async *run(job, signal): AsyncGenerator<EngineEvent, void, void> {
      jobs.push(job);
      yield { type: 'started', model: 'gray' };
      await untilAborted(Promise.resolve(onRun?.(job, signal)), signal);
      throwIfAborted(signal);
      const bytes = await enlarge({ width: 1, height: 1, data: new Uint8Array([128, 128, 128, 255]) }, 8).toPng();
      const image = { bytes, mediaType: 'image/png', width: 8, height: 8 };
      yield { type: 'step', index: 0, step: 0, steps: 1 };
      for (let index = 0; index < (job.request.count ?? 1); index++) {
        yield { type: 'image', index, seed: index, image, parameters: `${job.request.prompt}\nSteps: 1` };
      }
      yield { type: 'done', warnings: [], timings: { encode: 0, denoise: 0, decode: 0, total: 0 } };
    },
    status: async () => ({ isReady: !isClosed, running: 0, waiting: 0, loaded: ['gray'] }),
    async close() {
      isClosed = true;
    },
  };
}
