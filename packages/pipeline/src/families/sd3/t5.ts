import { lazyImport } from '@sd/core';
import { t5ConfigFromShapes } from '@sd/text-encoder/single-file';
import type { TextEncoderComponent } from '../family.js';

/** The encoder of T5 XXL, the third text encoder. Many models lack it, since it is larger than everything else together. */
export const t5Component: TextEncoderComponent = {
  name: 'text_encoder_3',
  tokenizer: 'tokenizer_3',
  output: 'normalized',
  ignoresWeights: true,
  optional: true,
  classes: ['T5EncoderModel'],
  tokenizerClasses: ['T5TokenizerFast', 'T5Tokenizer'],
  load: async (from) => (await lazyImport(() => import('@sd/text-encoder'))).loadT5Encoder(from),
  loadTokenizer: async (source, folder) =>
    (await lazyImport(() => import('@sd/tokenizer'))).loadT5Tokenizer(source, { folder }),
  configFromShapes: t5ConfigFromShapes,
};
