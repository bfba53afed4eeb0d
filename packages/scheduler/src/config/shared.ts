import type { NoiseLevel, Prediction, Sampler } from '@sd/core';
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

/** What diffusers takes as arguments of a scheduler's `step`, with its names. */
export interface StepOptions {
  /** DDIM: how much of DDPM's noise is added, 0 by default. TCD: its gamma, 0.3 by default. */
  readonly eta?: number;
  /** Euler: noise added over the run, and within which bounds of sigma. */
  readonly s_churn?: number;
  readonly s_tmin?: number;
  readonly s_tmax?: number;
  readonly s_noise?: number;
}

/** What a caller may say beside the config. */
export interface RunOptions {
  readonly step: StepOptions;
  readonly images: number;
  readonly mu?: number;
}

/** What a config comes to. diffusers' samplers may depend on how many steps were asked for. */
export interface ConfigParts {
  readonly name: string;
  /** The most steps that a run can have: those of the model's training, or of its distillation. */
  readonly trainTimesteps: number;
  readonly levels: (steps: number) => NoiseLevel[];
  readonly sampler: (steps: number) => CountedSampler;
  /** 1 where left out: most classes start with noise as it comes. */
  readonly initialSigma?: (levels: readonly NoiseLevel[]) => number;
  /** What the model predicts, where the config's own word does not say it. */
  readonly prediction?: Prediction;
}

/** The noise schedule that a config describes, computed in float32 as diffusers does. */
export function alphasCumprodFrom(settings: Settings): Float32Array {
  const { num_train_timesteps: count, beta_start, beta_end, trained_betas } = settings;
  let betas: Float32Array;
  if (trained_betas !== undefined) betas = Float32Array.from(trained_betas);
  else if (settings.beta_schedule === 'linear') betas = linearBetas(count, beta_start, beta_end);
  else if (settings.beta_schedule === 'scaled_linear') betas = scaledLinearBetas(count, beta_start, beta_end);
  else betas = cosineBetas(count);
  return alphasCumprodOf(settings.rescale_betas_zero_snr ? rescaleZeroTerminalSnr(betas) : betas);
}

/** As `discreteSchedule`, with the smallest alpha of diffusers' sigma family where a zero SNR was asked for. */
export function sigmaSchedule(settings: Settings): NoiseSchedule {
  const alphasCumprod = alphasCumprodFrom(settings);
  if (settings.rescale_betas_zero_snr) alphasCumprod[alphasCumprod.length - 1] = 2 ** -24;
  return discreteSchedule(alphasCumprod);
}

/** A sampler over estimates of x0 that are bounded, if the config asks for it. */
export function limited<S extends Sampler>(sampler: S, limit: Limit | undefined): S {
  if (limit === undefined) return sampler;
  const bounded: Sampler = (denoise, ...rest) => sampler(async (x, level) => limit(await denoise(x, level)), ...rest);
  return Object.assign(bounded, sampler);
}

/** How a config bounds x0, if it does. `images` is how many pictures the sampled array holds. */
export function limitFrom(settings: Settings, images: number): Limit | undefined {
  const { dynamic_thresholding_ratio: ratio, sample_max_value: max } = settings;
  if (settings.thresholding) return dynamicThreshold({ ratio, max, images });
  return settings.clip_sample ? clipSample(settings.clip_sample_range) : undefined;
}
