import type { GuidedDenoiser, NoiseLevel, SamplingPlan } from '@sd/core';
import type { Progress, ProgressDenoiser } from '@sd/guidance';

/** A denoiser for one pass, which takes the pass's progress as an argument. */
export type PassDenoiser = ProgressDenoiser & { readonly unconditional: ProgressDenoiser };

/** A denoiser as samplers call it, which counts its calls. */
export interface CountedDenoiser {
  readonly denoiser: GuidedDenoiser;
  /** The current step, from 0. */
  readonly step: number;
  /** Must be called after each step of the sampler. */
  finishStep(): void;
}

/** Counts the steps and calls of a pass, and passes them to the model as its progress. */
export function countCalls(
  model: PassDenoiser,
  { stepCount: steps, callCount: calls = steps }: SamplingPlan,
): CountedDenoiser {
  let step = 0;
  let call = -1;
  const progress = (): Progress => ({ step, steps, call, calls });
  const denoise = (x: Float32Array, level: NoiseLevel) => {
    call += 1;
    return model(x, level, progress());
  };
  return {
    denoiser: Object.assign(denoise, {
      unconditional: (x: Float32Array, level: NoiseLevel) => model.unconditional(x, level, progress()),
    }),
    get step() {
      return step;
    },
    finishStep() {
      step += 1;
    },
  };
}
