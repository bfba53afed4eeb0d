import { t5ConfigFromShapes } from '@sd/text-encoder';
import type { TextEncoderComponent } from '../family.js';

/** T5 XXL's encoder, the third text encoder, which a model may come without: it is larger than all the rest. */
export const t5Component: TextEncoderComponent = {
  name: 'text_encoder_3',
  tokenizer: 'tokenizer_3',
  output: 'normalized',
  ignoresWeights: true,
  optional: true,
  classes: ['T5EncoderModel'],
  tokenizerClasses: ['T5TokenizerFast', 'T5Tokenizer'],
  load: async (from) => (await import('@sd/text-encoder')).loadT5Encoder(from),
  loadTokenizer: async (source, folder) => (await import('@sd/tokenizer')).loadT5Tokenizer(source, { folder }),
  configFromShapes: t5ConfigFromShapes,
};
