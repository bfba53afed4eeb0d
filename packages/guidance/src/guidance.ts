import type { NoiseLevel, Prediction, TextEmbedding } from '@sd/core';

/** A prompt and its weight: 1 for a single prompt, below 0 to steer away from it. */
export interface WeightedText {
  readonly embedding: TextEmbedding;
  readonly weight: number;
}

/** The input of guidance at one evaluation of the denoiser. All arrays have one length, and must not be changed. */
export interface GuidanceInput {
  /** The noisy sample as the model sees it: scaled to unit variance, or unscaled for a flow model. */
  readonly x: Float32Array;
  /**
   * The noise level of this `x`, whatever coordinates the sampler uses: alpha² + sigma² = 1, or alpha + sigma = 1 for a flow
   * model.
   */
  readonly level: NoiseLevel;
  /** The meaning of raw outputs: `convertPrediction(output, prediction, 'sample', x, level)` converts one to x0. */
  readonly prediction: Prediction;
  /** One prompt of weight 1, or several to compose. */
  readonly positive: readonly WeightedText[];
  readonly negative: TextEmbedding;
  /**
   * Stands for the negative prompt without the image, for models that take an image as extra channels: `predict` sets these
   * to zeros. Undefined for other models.
   */
  readonly withoutImage?: TextEmbedding | undefined;
  /** The model's raw outputs for `x`, one per text. Texts of one call can run as a batch. */
  predict(texts: readonly TextEmbedding[]): Promise<Float32Array[]>;
}

/** Combines the raw outputs for several texts into one of the same kind. */
export type Guide = (input: GuidanceInput) => Promise<Float32Array>;

/** Makes a guide for each image, so that its state, such as momentum, stays within one run. */
export type Guidance = (() => Guide) & {
  /** Settings to record in images, by A1111's names if it has them: `{ 'CFG scale': 7.5 }`. */
  readonly settings?: GuidanceSettings;
};

export type GuidanceSettings = Readonly<Record<string, string | number | undefined>>;

/** A guidance with its settings. */
export function guidanceOf(settings: GuidanceSettings, make: () => Guide): Guidance {
  return Object.assign(make, { settings });
}
