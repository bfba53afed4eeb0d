import type { NoiseLevel, Preconditioning, Prediction, Sampler, SamplingPlan } from '@sd/core';
import type { CountedSampler } from '../create-scheduler.js';
import { clipSample, dynamicThreshold, type Limit } from '../limits.js';
import {
  alphasCumprodOf,
  cosineBetas,
  linearBetas,
  rescaleZeroTerminalSnr,
  scaledLinearBetas,
} from '../schedules/betas.js';
import { discreteSchedule, type NoiseSchedule } from '../schedules/noise-schedule.js';
import type { Settings } from './schema.js';

/** Arguments of `step` in diffusers, by their names there. */
export interface StepOptions {
  /** DDIM: the fraction of DDPM's noise to add, 0 by default. TCD: its gamma, 0.3 by default. */
  readonly eta?: number;
  /** Euler: the noise added over the run, and the range of sigma in which it is added. */
  readonly s_churn?: number;
  readonly s_tmin?: number;
  readonly s_tmax?: number;
  readonly s_noise?: number;
}

/** Options of a caller besides the config. */
export interface RunOptions {
  readonly step: StepOptions;
  readonly images: number;
  readonly mu?: number;
  /** Exact timesteps, for runs of as many steps. */
  readonly timesteps?: readonly number[];
}

/** The parts of a scheduler made from a config. Its sampler may depend on the number of steps. */
export interface ConfigParts {
  readonly name: string;
  /** Upper limit on the steps of a run: the number of training steps, or of distillation steps. */
  readonly trainTimesteps: number;
  readonly levels: (steps: number) => NoiseLevel[];
  readonly sampler: (steps: number) => CountedSampler;
  /** 1 by default: most classes start with unscaled noise. */
  readonly initialSigma?: (levels: readonly NoiseLevel[]) => number;
  /** The noise of a run over these levels; fresh noise for every draw by default. */
  readonly noise?: (levels: readonly NoiseLevel[]) => SamplingPlan['noise'];
  /** Overrides the config's prediction type. */
  readonly prediction?: Prediction;
  readonly preconditioning?: Preconditioning;
}

/** A config's noise schedule, computed in float32 as in diffusers. */
export function alphasCumprodFrom(settings: Settings): Float32Array {
  const { num_train_timesteps: count, beta_start, beta_end, trained_betas } = settings;
  let betas: Float32Array;
  if (trained_betas !== undefined) betas = Float32Array.from(trained_betas);
  else if (settings.beta_schedule === 'linear') betas = linearBetas(count, beta_start, beta_end);
  else if (settings.beta_schedule === 'scaled_linear') betas = scaledLinearBetas(count, beta_start, beta_end);
  else betas = cosineBetas(count);
  return alphasCumprodOf(settings.rescale_betas_zero_snr ? rescaleZeroTerminalSnr(betas) : betas);
}

/** Like `discreteSchedule`; with zero terminal SNR, the last alphasCumprod is 2^-24, as in diffusers' sigma-based classes. */
export function sigmaSchedule(settings: Settings): NoiseSchedule {
  const alphasCumprod = alphasCumprodFrom(settings);
  if (settings.rescale_betas_zero_snr) alphasCumprod[alphasCumprod.length - 1] = 2 ** -24;
  return discreteSchedule(alphasCumprod);
}

/** A sampler whose estimates of x0 are bounded by `limit`, if there is one. */
export function limited<S extends Sampler>(sampler: S, limit: Limit | undefined): S {
  if (limit === undefined) return sampler;
  const bounded: Sampler = (denoise, ...rest) => sampler(async (x, level) => limit(await denoise(x, level)), ...rest);
  return Object.assign(bounded, sampler);
}

/** The bound on x0 in a config, if any. `images` is the number of images in the sampled array. */
export function limitFrom(settings: Settings, images: number): Limit | undefined {
  const { dynamic_thresholding_ratio: ratio, sample_max_value: max } = settings;
  if (settings.thresholding) return dynamicThreshold({ ratio, max, images });
  return settings.clip_sample ? clipSample(settings.clip_sample_range) : undefined;
}
