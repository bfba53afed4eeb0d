import type { OptionTable } from '@sd/core/options';
import type { Stages } from '../../stages.js';
import { textComponents } from '../compositions.js';
import type { Composition, Json } from '../family.js';
import { sideBySide } from '../side-by-side.js';
import { type MicroConditioningPair, microConditioningRows, readMicroConditioning } from './micro-conditioning.js';
import { microConditioning } from './time-ids.js';

/**
 * The composition of SDXL: the hidden states of both text encoders concatenated along the width, the second one's pooled
 * embedding, and the image's sizes, or for the refiner an aesthetic score.
 * @see diffusers' `StableDiffusionXLPipeline`
 */
export function sdxlComposition(family: string, stages: Stages, index: Json = {}): Composition {
  const hasAestheticScore = index.requires_aesthetics_score === true;
  return {
    family,
    noisePredictor: 'unet',
    textEncoders: textComponents(stages, 'penultimate'),
    combine: sideBySide,
    clipSkipForNegative: false,
    zeroNegative: index.force_zeros_for_empty_prompt !== false,
    options: microConditioningRows(hasAestheticScore) satisfies OptionTable<MicroConditioningPair>,
    condition: (options, size) => microConditioning(readMicroConditioning(options, hasAestheticScore, size)),
  };
}
