import { type Denoiser, type NoiseLevel, type NoiseSource, type Sampler, throwIfAborted } from '@sd/core';
import type { CountedSampler } from '../create-scheduler.js';

/** What a sampler has for one run. */
export interface SamplerRun {
  readonly levels: readonly NoiseLevel[];
  /** Throws an AbortError once the run's signal is aborted. */
  readonly denoise: Denoiser;
  readonly noise: NoiseSource;
}

/** Takes x from one level to the next, given the x0 that was estimated at the first. `left`: steps to go, this one included. */
export type StepFunction = (
  x: Float32Array,
  denoised: Float32Array,
  from: NoiseLevel,
  to: NoiseLevel,
  left: number,
) => Float32Array | Promise<Float32Array>;

/** Changes a sample before a step, and says at which level it then is. */
export type BeforeStep = (
  x: Float32Array,
  from: NoiseLevel,
  to: NoiseLevel,
  run: SamplerRun,
) => [x: Float32Array, from: NoiseLevel];

/**
 * A sampler of a step that begins with a call of the model: `start` is called once a run, so that the step's history can
 * be its local variables.
 */
export function stepwise(start: (run: SamplerRun) => StepFunction, before?: BeforeStep): Sampler {
  return async function* (model, x, levels, { noise, signal }) {
    const denoise: Denoiser = async (at, level) => {
      throwIfAborted(signal);
      return model(at, level);
    };
    const run = { levels, denoise, noise };
    const step = start(run);
    for (let left = levels.length - 1; left > 0; left--) {
      let [from, to] = levels.slice(-left - 1) as [NoiseLevel, NoiseLevel];
      throwIfAborted(signal);
      if (before !== undefined) [x, from] = before(x, from, to, run);
      const denoised = await denoise(x, from);
      x = await step(x, denoised, from, to, left);
      yield { x, level: to, denoised };
    }
  };
}

/** Of a sampler that calls the model twice a step, but once in one to the clean picture. */
export function twiceAStep(sampler: Sampler): CountedSampler {
  return Object.assign(sampler, { callCount: callsTwiceAStep });
}

export function callsTwiceAStep(levels: readonly NoiseLevel[]): number {
  return 2 * (levels.length - 1) - (levels.at(-1)?.sigma === 0 ? 1 : 0);
}
