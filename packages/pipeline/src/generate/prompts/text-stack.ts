import type { Conditions, TextEmbedding, TextEncoder, TextEncoderOptions, Tokenizer } from '@sd/core';
import type { EncodedText } from '@sd/tokenizer/embedding';
import type { WordVectors } from '../../attach/run-adapters.js';

/** One of a model's text encoders, with its tokenizer. */
export interface StackEncoder {
  /** diffusers' name: `text_encoder`, `text_encoder_2`. */
  readonly component: string;
  readonly tokenizer: Tokenizer;
  readonly textEncoder: TextEncoder;
  /** Which hidden states the noise predictor takes: `normalized` by default. */
  readonly output?: TextEncoderOptions['output'];
  /** Values of attached adapters. */
  readonly conditions: Conditions;
  readonly words?: WordVectors;
  /**
   * True of an encoder that reads a prompt's text without its weights, in one window and with all of its layers, such as
   * T5. Its tokenizer needs `encode` alone; other tokenizers need all of `ClipTokenizer` for weights and long prompts.
   */
  readonly ignoresWeights?: boolean;
}

/** A model family's text encoders, and how their outputs become the context of the noise predictor. */
export interface TextStack {
  /** Any number, in the order in which `alternatives` of a prompt are for them. */
  readonly encoders: readonly StackEncoder[];
  /** Combines what the encoders made of one text: SD1 has one; SDXL's stand side by side; SD3's are padded and joined. */
  combine(parts: readonly EncodedText[]): TextEmbedding;
  /** Whether `clipSkip` holds for the negative prompt too: not in SDXL. */
  readonly clipSkipForNegative: boolean;
  /** Whether a negative prompt that is not given is an embedding of zeros, rather than that of an empty text. */
  readonly zeroNegative: boolean;
}
