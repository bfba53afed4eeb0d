/**
 * How much noise there is: `x = alpha * x0 + sigma * eps`. Variance-preserving models have alpha² + sigma² = 1,
 * variance-exploding ones alpha = 1, flow models alpha + sigma = 1. Alpha may be 0: nothing but noise.
 */
export interface NoiseLevel {
  readonly alpha: number;
  readonly sigma: number;
  /** What the model is told of it; may be fractional. */
  readonly timestep: number;
}

/** What a model's raw output means: the noise, v of arXiv 2202.00512, the clean sample, or the flow's velocity. */
export type Prediction = 'epsilon' | 'v' | 'sample' | 'flow';

/** Estimates the clean sample x0 from a noisy one. */
export type Denoiser = (x: Float32Array, level: NoiseLevel) => Promise<Float32Array>;

/**
 * A denoiser that also estimates x0 without guidance, for samplers that step with both. `unconditional` is called right
 * after the denoiser itself, with the same arguments, so that it can answer from what that call kept.
 */
export type GuidedDenoiser = Denoiser & { readonly unconditional?: Denoiser };

/** Standard normal noise of the sample's size, for a step between two levels. */
export type NoiseSource = (from: NoiseLevel, to: NoiseLevel) => Float32Array;

export interface SamplerOptions {
  readonly noise: NoiseSource;
  readonly signal?: AbortSignal;
}

/** Where a sampler is after a step. The arrays are the reader's to keep. */
export interface SamplerStep {
  /** The sample, at `level`. */
  readonly x: Float32Array;
  readonly level: NoiseLevel;
  /** The estimate of x0 that the step was taken with. */
  readonly denoised: Float32Array;
}

/**
 * Walks a sample down a list of noise levels, from `levels[0]`, where `x` is, to the last. Yields after every step;
 * the last step's `x` is the result. History lives in local variables, so one sampler serves any number of runs.
 */
export type Sampler = (
  denoise: Denoiser,
  x: Float32Array,
  levels: readonly NoiseLevel[],
  options: SamplerOptions,
) => AsyncGenerator<SamplerStep, void, void>;

/** A run laid out: what to start from, which levels to pass, how to step. */
export interface SamplingPlan {
  /** From most noise to least; one more than the steps. */
  readonly levels: readonly NoiseLevel[];
  /** Standard deviation of the noise that a run from nothing starts with. */
  readonly initialSigma: number;
  /** How many times the sampler will yield. */
  readonly stepCount: number;
  /** How many times it will call the denoiser; `stepCount` if left out. */
  readonly callCount?: number;
  readonly sampler: Sampler;
}

/** A noise schedule, a spacing of its levels and a sampler. */
export interface Scheduler {
  /** What the model that this scheduler belongs to predicts. */
  readonly prediction: Prediction;
  /** Its name, as pictures record it: `Euler`, `DDIM`. */
  readonly name?: string;
  /** How many steps of noise the model was trained on: 1000 if left out. */
  readonly trainTimesteps?: number;
  plan(steps: number): SamplingPlan;
}
