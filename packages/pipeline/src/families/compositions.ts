import type { TextEncoderOptions } from '@sd/core';
import type { EncodedText } from '@sd/tokenizer/embedding';
import type { Stages } from '../stages.js';
import type { Composition } from './family.js';

/** The composition of a model whose only conditioning is one text encoder's hidden states. */
export function plainComposition(family: string, stages: Stages): Composition {
  return {
    family,
    noisePredictor: 'unet',
    textEncoders: textComponents(stages, 'normalized'),
    combine: ([only]: readonly EncodedText[]) => only.embedding,
    clipSkipForNegative: true,
    zeroNegative: false,
    options: {},
  };
}

/** The text encoders of a pipeline under diffusers' names: those of the stages, or by default numbered in order. */
export function textComponents(
  { textEncoders }: Stages,
  output: NonNullable<TextEncoderOptions['output']>,
): Composition['textEncoders'] {
  return textEncoders.map(({ component }, i) => ({
    name: component ?? (i === 0 ? 'text_encoder' : `text_encoder_${i + 1}`),
    output,
  }));
}
