import type { Tensor, TextEmbedding } from '@sd/core';
import type { EndTokens } from '../embedding/end-tokens.js';
import type { EncodedText } from '../embedding/lengths.js';
import type { ChunkOptions } from './chunks.js';
import type { PromptPlan } from './prompt-plan.js';

/** The rules that prompts are written by. A syntax of your own is an object like this, or a variation: `{ ...compel, downweight: 'remove' }`. */
export interface PromptSyntax<Name extends string = string> {
  readonly name: Name;
  /** Parses a prompt. Any string is a prompt: what fits no rule is text. A1111 reads neither `AND` nor `<lora:...>` in negative ones. */
  parse(text: string, options: { readonly negative: boolean }): PromptPlan;
  /** How a text that is longer than a window is divided. */
  readonly chunks: ChunkOptions;
  /**
   * Applies token weights, [tokens], to the embedding of a window, [tokens, width]. `empty` is the empty prompt's embedding,
   * of the same shape. Weights that are all 1 leave the embedding as it is.
   */
  weigh(hidden: Tensor<'float32'>, weights: Float32Array, empty: Tensor<'float32'>): Tensor<'float32'>;
  /**
   * compel's way with weights below 1: the embedding is also mixed with that of the text in which the fragment is hidden from
   * the other tokens' attention (`mask`), or is missing (`remove`). `mask` needs a text encoder with the condition
   * `attention_bias`, which those of `@sd/text-encoder` have. If undefined, weights below 1 are like any other.
   */
  readonly downweight?: 'mask' | 'remove';
  /** Which vector stands at the end tokens of a text of several windows: `own` by default. */
  readonly endTokens?: EndTokens;
  /** Brings contexts to the same length, so that the noise predictor can take them in one batch. */
  align(texts: readonly EncodedText[]): readonly TextEmbedding[];
}
