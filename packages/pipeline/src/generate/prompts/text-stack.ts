import type { Conditions, TextEmbedding, TextEncoder, TextEncoderOptions, Tokenizer } from '@sd/core';
import type { EncodedText } from '@sd/tokenizer/embedding';
import type { WordVectors } from '../../attach/run-adapters.js';

/** One of a model's text encoders, with its tokenizer. */
export interface StackEncoder {
  /** Its name in diffusers: `text_encoder`, `text_encoder_2`. */
  readonly component: string;
  readonly tokenizer: Tokenizer;
  readonly textEncoder: TextEncoder;
  /** Which hidden states the noise predictor uses: `normalized` by default. */
  readonly output?: TextEncoderOptions['output'];
  /** Inputs that attached adapters added. */
  readonly conditions: Conditions;
  readonly words?: WordVectors | undefined;
  /**
   * True if the encoder ignores prompt weights and `clipSkip` and reads a single window, as T5 does. Its tokenizer then needs
   * only `encode`; others need all of `ClipTokenizer` for weights and long prompts.
   */
  readonly ignoresWeights?: boolean;
}

/** A model's text encoders, and how their outputs form the context of the noise predictor. */
export interface TextStack {
  /** In the order of a prompt's `alternatives`. */
  readonly encoders: readonly StackEncoder[];
  /** Combines the encoders' outputs for one text, as the family does. */
  combine(parts: readonly EncodedText[]): TextEmbedding;
  /** Whether `clipSkip` applies to the negative prompt too: not in SDXL. */
  readonly clipSkipForNegative: boolean;
  /** Whether a missing negative prompt is an embedding of zeros rather than that of an empty text. */
  readonly zeroNegative: boolean;
}
