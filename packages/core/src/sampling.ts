import type { RandomSourceFactory } from './random.js';

/**
 * How much noise a sample has: `x = alpha * x0 + sigma * eps`. Variance-preserving models have alpha² + sigma² = 1,
 * variance-exploding ones alpha = 1, flow models alpha + sigma = 1. Alpha may be 0, for pure noise.
 */
export interface NoiseLevel {
  readonly alpha: number;
  readonly sigma: number;
  /** The model's input for this level; may be fractional. */
  readonly timestep: number;
}

/** The meaning of a model's raw output: the noise, v (arXiv 2202.00512), the clean sample x0, or the flow's velocity. */
export type Prediction = 'epsilon' | 'v' | 'sample' | 'flow';

/** Estimates the clean sample x0 from a noisy one. */
export type Denoiser = (x: Float32Array, level: NoiseLevel) => Promise<Float32Array>;

/**
 * A denoiser that can also estimate x0 without guidance, for samplers that use both. `unconditional` is called right after
 * the denoiser itself, with the same arguments, so that it can reuse that call's results.
 */
export type GuidedDenoiser = Denoiser & { readonly unconditional?: Denoiser };

/** Draws standard normal noise of the sample's size, for a step between two levels. */
export type NoiseSource = (from: NoiseLevel, to: NoiseLevel) => Float32Array;

/** What the noise of an image is made from. */
export interface NoiseOptions {
  readonly seed: number | bigint;
  /** Number of values in the sample. */
  readonly size: number;
  /** The generator that the run uses. */
  readonly random: RandomSourceFactory;
  /** The levels that the run takes. */
  readonly levels: readonly NoiseLevel[];
}

export interface SamplerOptions {
  readonly noise: NoiseSource;
  readonly signal?: AbortSignal;
}

/** A sampler's state after a step. The arrays are the receiver's to keep. */
export interface SamplerStep {
  /** The sample, at `level`. */
  readonly x: Float32Array;
  readonly level: NoiseLevel;
  /** The estimate of x0 that the step used. */
  readonly denoised: Float32Array;
}

/**
 * Takes a sample `x` at `levels[0]` through a list of noise levels to the last. Yields after every step; the last step's
 * `x` is the result. History lives in local variables, so one sampler serves any number of runs.
 */
export type Sampler = (
  denoise: Denoiser,
  x: Float32Array,
  levels: readonly NoiseLevel[],
  options: SamplerOptions,
) => AsyncGenerator<SamplerStep, void, void>;

/** The plan of a run: its levels, its initial noise and its sampler. */
export interface SamplingPlan {
  /** From most noise to least; one more level than steps. */
  readonly levels: readonly NoiseLevel[];
  /** Standard deviation of the initial noise of a run that starts from noise alone. */
  readonly initialSigma: number;
  /** How many times the sampler yields. */
  readonly stepCount: number;
  /** How many times it calls the denoiser; `stepCount` by default. */
  readonly callCount?: number;
  readonly sampler: Sampler;
  /** Makes the sampler's noise; by default each draw is the next of the image's generator. */
  readonly noise?: (options: NoiseOptions) => NoiseSource;
}

/**
 * The preconditioning of a model that was trained as in EDM (arXiv 2206.00364, table 1): of samples divided by the standard
 * deviation of its data, the model predicts v.
 */
export interface Preconditioning {
  /** The standard deviation of clean samples, the paper's sigma_data. */
  readonly sigmaData: number;
  /** True if the raw output is -v, as the paper has it. */
  readonly negative: boolean;
}

/** A noise schedule, a spacing of its levels and a sampler. */
export interface Scheduler {
  /** The prediction type of the scheduler's model. */
  readonly prediction: Prediction;
  /** For a model with EDM's preconditioning. */
  readonly preconditioning?: Preconditioning;
  /** Its name as recorded in images: `Euler`, `DDIM`. */
  readonly name?: string;
  /** Number of noise levels that the model was trained on; 1000 by default. */
  readonly trainTimesteps?: number;
  plan(steps: number): SamplingPlan;
}
