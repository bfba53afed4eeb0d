import type { TextEmbedding, TextEncoder, TextEncoderOptions } from '@sd/core';
import type { AnyTokenizer } from '../pieces.js';
import type { PromptText } from '../prompt-plan.js';
import type { PromptSyntax } from '../prompt-syntax.js';
import { combineText } from './combine-text.js';
import { divideText, passagesOf, windowsOf } from './divide-text.js';
import { encodeWindows, type Window } from './windows.js';

export interface EncodeTextsOptions extends TextEncoderOptions {
  readonly tokenizer: AnyTokenizer;
  readonly textEncoder: TextEncoder;
  /** How texts are divided into windows, and tokens weighed. */
  readonly syntax: PromptSyntax;
}

export interface EncodedTexts {
  /** One for each text: `hidden` [windows x maxLength, width], and the pooled vector of the first window or of `pooledFrom`. */
  readonly embeddings: readonly TextEmbedding[];
  /** The empty prompt's: one window. */
  readonly empty: TextEmbedding;
  /** The end of each text that did not fit the syntax's `maxChunks`, or the empty string. */
  readonly truncated: readonly string[];
  /** Textual inversions that are named and that the tokenizer does not know. */
  readonly missing: readonly string[];
}

/**
 * Encodes weighted texts of any length: divides each into windows, encodes all windows in one batch, equal ones once, and
 * puts the windows' embeddings together. Rejects as the text encoder does, and with a TensorError for weights that make
 * numbers that are not finite.
 */
export async function encodeTexts(texts: readonly PromptText[], options: EncodeTextsOptions): Promise<EncodedTexts> {
  const { tokenizer, textEncoder, syntax, ...encoderOptions } = options;
  const emptyWindow: Window = { tokens: tokenizer.encode('') };
  const divided = texts.map((text) => divideText(text, tokenizer, syntax));
  const embeddingOf = await encodeWindows([emptyWindow, ...divided.flatMap(windowsOf)], textEncoder, encoderOptions);
  const empty = embeddingOf(emptyWindow);
  const passages = divided.map(passagesOf);
  return {
    embeddings: divided.map((text) => combineText(text, { embeddingOf, empty: empty.hidden, syntax })),
    empty,
    truncated: passages.map((ofText) =>
      ofText
        .map(({ truncated }) => truncated)
        .filter((end) => end !== '')
        .join(' '),
    ),
    missing: [...new Set(passages.flat().flatMap(({ missing }) => missing))],
  };
}
