import type { NoiseLevel, Prediction, TextEmbedding } from '@sd/core';

/** A prompt and how much of it: 1 for a prompt alone, below 0 to steer away from it. */
export interface WeightedText {
  readonly embedding: TextEmbedding;
  readonly weight: number;
}

/** What guidance works with at one call of the model. All arrays are of one length, and not to be changed. */
export interface GuidanceInput {
  /** The noisy sample as the model sees it: of unit variance, or on the path itself for a flow model. */
  readonly x: Float32Array;
  /**
   * The noise level of that `x`, whatever the sampler's own coordinates: alpha² + sigma² = 1, or alpha + sigma = 1 for a
   * flow model.
   */
  readonly level: NoiseLevel;
  /** What raw outputs mean: `convertPrediction(output, prediction, 'sample', x, level)` reads x0 from one. */
  readonly prediction: Prediction;
  /** What to draw: one prompt of weight 1, or several that are composed. */
  readonly positive: readonly WeightedText[];
  readonly negative: TextEmbedding;
  /** The negative prompt to a model that is not shown the picture beside the sample; undefined where none is shown. */
  readonly blind?: TextEmbedding;
  /** The model's raw outputs for `x`, one for each text. One call for several texts lets them run as a batch. */
  predict(texts: readonly TextEmbedding[]): Promise<Float32Array[]>;
}

/** Makes one raw output, of the kind that the model gives, from those for several texts. */
export type Guide = (input: GuidanceInput) => Promise<Float32Array>;

/** A way to guide. Called once for each picture, so that what a guide remembers of a run, such as a momentum, stays in it. */
export type Guidance = (() => Guide) & {
  /** What pictures record of it, under A1111's names where it has them: `{ 'CFG scale': 7.5 }`. */
  readonly settings?: GuidanceSettings;
};

export type GuidanceSettings = Readonly<Record<string, string | number | undefined>>;

/** A guidance that says what it was made with. */
export function guidanceOf(settings: GuidanceSettings, make: () => Guide): Guidance {
  return Object.assign(make, { settings });
}
