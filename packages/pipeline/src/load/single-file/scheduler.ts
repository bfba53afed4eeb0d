import type { Family, Json } from './families.js';

export type FilePrediction = 'epsilon' | 'v_prediction';

/** What a file says of its training beside the weights. */
export interface FileNotes {
  readonly metadata: Readonly<Record<string, string>>;
  has(tensor: string): boolean;
  readonly inChannels: number;
}

/** Training step of the base model of Stable Diffusion 2, which predicts noise; other files of it predict v. */
const noiseStep = '875000';

/**
 * What a model's output means. Shapes do not tell: names that newer files have do, or the metadata; a file of Stable
 * Diffusion 2 that says nothing is taken for one of 768 pixels, which predicts v, as diffusers takes it.
 */
export function predictionOf(family: Family, { metadata, has, inChannels }: FileNotes): FilePrediction {
  const key = metadata['modelspec.predict_key'];
  if (has('v_pred') || key === 'v') return 'v_prediction';
  if (key === 'epsilon' || family.id !== 'sd2' || inChannels !== 4) return 'epsilon';
  const noise = metadata['modelspec.architecture'] === 'stable-diffusion-v2-512' || metadata.global_step === noiseStep;
  return noise ? 'epsilon' : 'v_prediction';
}

/** The family as a model of this prediction is: those of Stable Diffusion 2 that predict noise are for 512 pixels. */
export function familyOfPrediction(family: Family, prediction: FilePrediction): Family {
  if (family.id !== 'sd2' || prediction === 'v_prediction') return family;
  return { ...family, unet: { ...family.unet, sample_size: 64 }, vae: { ...family.vae, sample_size: 512 } };
}

/** The scheduler's config of a file: its family's, with what the file predicts. */
export function schedulerConfigOf(family: Family, prediction: FilePrediction, notes: FileNotes): Json {
  return {
    ...family.scheduler,
    prediction_type: prediction,
    ...(notes.has('ztsnr') && { rescale_betas_zero_snr: true }),
  };
}
