import { type Denoiser, type NoiseLevel, type NoiseSource, type Sampler, throwIfAborted } from '@sd/core';
import type { CountedSampler } from '../create-scheduler.js';

/** A sampler's inputs for one run. */
export interface SamplerRun {
  readonly levels: readonly NoiseLevel[];
  /** Throws an AbortError once the run's signal is aborted. */
  readonly denoise: Denoiser;
  readonly noise: NoiseSource;
}

/** Takes x from one level to the next, given x0 as estimated at the first. `stepsLeft` counts the steps to go, including this one. */
export type StepFunction = (
  x: Float32Array,
  denoised: Float32Array,
  from: NoiseLevel,
  to: NoiseLevel,
  stepsLeft: number,
) => Float32Array | Promise<Float32Array>;

/** Changes a sample before a step; returns it with its new level. */
export type BeforeStep = (
  x: Float32Array,
  from: NoiseLevel,
  to: NoiseLevel,
  run: SamplerRun,
) => [x: Float32Array, from: NoiseLevel];

/**
 * A sampler from a step function, for steps that begin with a call of the model. `start` is called once per run, so that
 * the step's history can be local variables.
 */
export function stepwise(start: (run: SamplerRun) => StepFunction, before?: BeforeStep): Sampler {
  return async function* (model, x, levels, { noise, signal }) {
    const denoise: Denoiser = async (at, level) => {
      throwIfAborted(signal);
      return model(at, level);
    };
    const run = { levels, denoise, noise };
    const step = start(run);
    for (let stepsLeft = levels.length - 1; stepsLeft > 0; stepsLeft--) {
      let [from, to] = levels.slice(-stepsLeft - 1) as [NoiseLevel, NoiseLevel];
      throwIfAborted(signal);
      if (before !== undefined) [x, from] = before(x, from, to, run);
      const denoised = await denoise(x, from);
      x = await step(x, denoised, from, to, stepsLeft);
      yield { x, level: to, denoised };
    }
  };
}

/** Marks a sampler that calls the model twice per step, but once in a step to the clean image. */
export function twiceAStep(sampler: Sampler): CountedSampler {
  return Object.assign(sampler, { callCount: callsTwiceAStep });
}

export function callsTwiceAStep(levels: readonly NoiseLevel[]): number {
  return 2 * (levels.length - 1) - (levels.at(-1)?.sigma === 0 ? 1 : 0);
}
