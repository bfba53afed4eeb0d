import {
  InvalidOptionError,
  lazyImport,
  type TextEmbedding,
  type TextEncoder,
  type Tokenizer,
  type Warning,
} from '@sd/core';
import type { ClipTokenizer } from '@sd/tokenizer';
import type { PromptSyntax, PromptText } from '@sd/tokenizer/prompt';
import { hasWeights, textWithoutWeights } from './plain-text.js';
import type { StackEncoder } from './text-stack.js';

/** A text for one encoder, and the option that it was passed as. */
export interface OptionText {
  readonly option: string;
  readonly text: PromptText;
}

export interface ReadOptions {
  readonly syntax: PromptSyntax;
  readonly clipSkip: number;
  readonly signal: AbortSignal | undefined;
}

/** One text encoder's output for several texts. */
export interface ReadTexts {
  /** One per text. */
  readonly embeddings: readonly TextEmbedding[];
  /** The embedding of the empty prompt, for padding; undefined if all texts are one window long. */
  readonly empty?: TextEmbedding | undefined;
  readonly warnings: readonly Warning[];
}

/** Encodes texts with one text encoder. */
export type ReadTextsWith = (
  encoder: StackEncoder,
  texts: readonly OptionText[],
  options: ReadOptions,
) => Promise<ReadTexts>;

/** Reads texts as diffusers does: without weights, truncated to one window. */
export const readPlainTexts: ReadTextsWith = async (encoder, texts, { clipSkip, signal }) => {
  const { tokenizer, textEncoder, output, conditions } = encoder;
  const tokens = texts.map(({ text }) => tokenizer.encode(textWithoutWeights(text)));
  return {
    embeddings: await textEncoder.encode(tokens, { clipSkip, output, conditions, signal }),
    warnings: tokens.flatMap(({ truncated }, i) => truncatedWarning(texts[i].option, tokenizer, truncated)),
  };
};

/** Reads weighted texts of any length, with the words of textual inversions. */
export const readWeightedTexts: ReadTextsWith = async (encoder, texts, options) => {
  if (encoder.ignoresWeights) return readWithoutWeights(encoder, texts, options);
  const { encodeTexts } = await lazyImport(() => import('@sd/tokenizer/prompt'));
  const { textEncoder, output, words } = encoder;
  const { embeddings, empty, truncated, missing } = await encodeTexts(
    texts.map(({ text }) => text),
    {
      ...options,
      output,
      textEncoder,
      tokenizer: await tokenizerWithWords(encoder),
      conditions: words === undefined ? encoder.conditions : { ...encoder.conditions, token_vectors: words.vectors },
    },
  );
  const truncations = truncated.flatMap((end, i) => truncatedWarning(texts[i].option, encoder.tokenizer, end));
  return { embeddings, empty, warnings: [...truncations, ...missing.map(missingWarning)] };
};

/** Also encodes the empty prompt, which other encoders of the stack may need for padding. */
async function readWithoutWeights(
  encoder: StackEncoder,
  texts: readonly OptionText[],
  options: ReadOptions,
): Promise<ReadTexts> {
  const emptyText = { option: '', text: { clauses: [] } };
  const { embeddings, warnings } = await readPlainTexts(encoder, [emptyText, ...texts], options);
  const [empty, ...ofTexts] = embeddings;
  const isWeighted = texts.some(({ text }) => hasWeights(text));
  return { embeddings: ofTexts, empty, warnings: isWeighted ? [ignoredWarning(encoder), ...warnings] : warnings };
}

/** The encoder's tokenizer, with the words of attached textual inversions. Rejects with an InvalidOptionError. */
export async function tokenizerWithWords({ tokenizer, textEncoder, words }: StackEncoder): Promise<ClipTokenizer> {
  if (!isClipTokenizer(tokenizer)) {
    throw new InvalidOptionError(
      'syntax',
      'other than plain needs a tokenizer with tokenize(), decode() and the ids of its special tokens, such as those of @sd/tokenizer.',
    );
  }
  if (words === undefined) return tokenizer;
  const { withWords } = await lazyImport(() => import('@sd/tokenizer/prompt'));
  return withWords(tokenizer, words.counts, vocabularySizeOf(textEncoder));
}

/** Whether a tokenizer has what long and weighted prompts need. */
export function isClipTokenizer(tokenizer: Tokenizer): tokenizer is ClipTokenizer {
  return 'tokenize' in tokenizer && 'startId' in tokenizer;
}

/** `attach()` adds words only to text encoders with this config. */
function vocabularySizeOf(textEncoder: TextEncoder): number {
  return (textEncoder as TextEncoder & { readonly config: { readonly vocabSize: number } }).config.vocabSize;
}

function truncatedWarning(option: string, { maxLength }: Tokenizer, truncated: string): Warning[] {
  if (truncated === '') return [];
  const message = `${option} is longer than the model's ${maxLength} tokens. Left out: ${JSON.stringify(truncated)}.`;
  return [{ code: 'prompt-truncated', message }];
}

function missingWarning(word: string): Warning {
  return {
    code: 'embedding-missing',
    message: `The prompt uses embedding:${word}, but no such embedding is attached.`,
  };
}

function ignoredWarning({ component }: StackEncoder): Warning {
  return { code: 'weights-ignored', message: `${component} ignores the weights in prompts.` };
}
