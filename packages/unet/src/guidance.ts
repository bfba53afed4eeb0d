import type { NoiseLevel, TextEmbedding } from '@sd/core';

/** What guidance works with at one step. */
export interface GuidanceInput {
  /** The noisy sample. */
  readonly x: Float32Array;
  readonly level: NoiseLevel;
  readonly positive: TextEmbedding;
  readonly negative: TextEmbedding;
  /** The model's raw outputs for the sample, one for each text. Several at once run as one batch. */
  predict(texts: readonly TextEmbedding[]): Promise<Float32Array[]>;
}

/** Makes one raw output, of the kind that the model gives, from those for several texts. */
export type Guidance = (input: GuidanceInput) => Promise<Float32Array>;

export interface ClassifierFreeGuidanceOptions {
  /** How far to go from the negative prompt's output through the positive's. At 1 or below, the positive's alone is used. */
  readonly scale: number;
  /** How much of the output's spread is set back to the positive's, 0 to 1: phi in arXiv 2305.08891, 3.4. */
  readonly rescale?: number;
}

/**
 * Classifier-free guidance: `negative + scale * (positive - negative)` (arXiv 2207.12598, eq. 6), on raw outputs, as
 * diffusers does it. One run of the model as a batch of two; at a scale of 1 or below, of one.
 */
export function classifierFreeGuidance({ scale, rescale = 0 }: ClassifierFreeGuidanceOptions): Guidance {
  return async ({ predict, positive, negative }) => {
    if (scale <= 1) return (await predict([positive]))[0];
    const [without, along] = await predict([negative, positive]);
    const guided = along.map((value, i) => without[i] + scale * (value - without[i]));
    return rescale > 0 ? rescaled(guided, along, rescale) : guided;
  };
}

/** Common diffusion noise schedules and sample steps are flawed, arXiv 2305.08891, eq. 15 and 16. */
function rescaled(guided: Float32Array, along: Float32Array, phi: number): Float32Array {
  const factor = phi * (deviation(along) / deviation(guided)) + (1 - phi);
  return guided.map((value) => value * factor);
}

/** Standard deviation with Bessel's correction, as torch has it. */
function deviation(values: Float32Array): number {
  let sum = 0;
  for (const value of values) sum += value;
  const mean = sum / values.length;
  let squares = 0;
  for (const value of values) squares += (value - mean) ** 2;
  return Math.sqrt(squares / (values.length - 1));
}
