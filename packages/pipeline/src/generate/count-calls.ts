import type { GuidedDenoiser, NoiseLevel, SamplingPlan } from '@sd/core';
import type { Progress, ProgressDenoiser } from '@sd/guidance';

/** A model's denoiser for one pass, which is given how far the pass is. */
export type PassDenoiser = ProgressDenoiser & { readonly unconditional: ProgressDenoiser };

/** A denoiser as samplers call it, which counts the calls of a pass. */
export interface CountedDenoiser {
  readonly denoiser: GuidedDenoiser;
  /** The step that is being taken, from 0. */
  readonly step: number;
  /** To be called when the sampler has taken a step. */
  finishStep(): void;
}

/** Counts the steps and calls of a pass for a denoiser, which gets them as an argument. */
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
