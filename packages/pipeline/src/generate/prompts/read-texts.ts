import { InvalidOptionError, type TextEmbedding, type TextEncoder, type Tokenizer, type Warning } from '@sd/core';
import type { ClipTokenizer } from '@sd/tokenizer';
import type { PromptSyntax, PromptText } from '@sd/tokenizer/prompt';
import { hasWeights, textWithoutWeights } from './plain-text.js';
import type { StackEncoder } from './text-stack.js';

/** A text for one encoder, and the option that it comes from. */
export interface OptionText {
  readonly option: string;
  readonly text: PromptText;
}

export interface ReadOptions {
  readonly syntax: PromptSyntax;
  readonly clipSkip: number;
  readonly signal: AbortSignal | undefined;
}

/** What one text encoder made of texts. */
export interface ReadTexts {
  /** One for each text. */
  readonly embeddings: readonly TextEmbedding[];
  /** The empty prompt's. Undefined where all texts are one window. */
  readonly empty?: TextEmbedding;
  readonly warnings: readonly Warning[];
}

/** Encodes texts with one text encoder. */
export type ReadTextsWith = (
  encoder: StackEncoder,
  texts: readonly OptionText[],
  options: ReadOptions,
) => Promise<ReadTexts>;

/** Reads texts as diffusers does: without weights, and cut after one window. */
export const readPlainTexts: ReadTextsWith = async (encoder, texts, { clipSkip, signal }) => {
  const { tokenizer, textEncoder, output, conditions } = encoder;
  const tokens = texts.map(({ text }) => tokenizer.encode(textWithoutWeights(text)));
  return {
    embeddings: await textEncoder.encode(tokens, { clipSkip, output, conditions, signal }),
    warnings: tokens.flatMap(({ truncated }, i) => truncatedWarning(texts[i].option, tokenizer, truncated)),
  };
};

/** Reads weighted texts over any number of windows, with the words of textual inversions. */
export const readWeightedTexts: ReadTextsWith = async (encoder, texts, options) => {
  if (encoder.ignoresWeights) return readWithoutWeights(encoder, texts, options);
  const { encodeTexts } = await import('@sd/tokenizer/prompt');
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
  const cut = truncated.flatMap((end, i) => truncatedWarning(texts[i].option, encoder.tokenizer, end));
  return { embeddings, empty, warnings: [...cut, ...missing.map(missingWarning)] };
};

/** The empty prompt is read too, since other encoders of the stack may need it for filling up. */
async function readWithoutWeights(
  encoder: StackEncoder,
  texts: readonly OptionText[],
  options: ReadOptions,
): Promise<ReadTexts> {
  const emptyText = { option: '', text: { clauses: [] } };
  const { embeddings, warnings } = await readPlainTexts(encoder, [emptyText, ...texts], options);
  const [empty, ...others] = embeddings;
  const weighted = texts.some(({ text }) => hasWeights(text));
  return { embeddings: others, empty, warnings: weighted ? [ignoredWarning(encoder), ...warnings] : warnings };
}

async function tokenizerWithWords({ tokenizer, textEncoder, words }: StackEncoder): Promise<ClipTokenizer> {
  if (!isClipTokenizer(tokenizer)) {
    throw new InvalidOptionError(
      'syntax',
      'other than plain needs a tokenizer with tokenize(), decode() and the ids of its special tokens, as @sd/tokenizer has.',
    );
  }
  if (words === undefined) return tokenizer;
  const { withWords } = await import('@sd/tokenizer/prompt');
  return withWords(tokenizer, words.counts, vocabularySizeOf(textEncoder));
}

function isClipTokenizer(tokenizer: Tokenizer): tokenizer is ClipTokenizer {
  return 'tokenize' in tokenizer && 'startId' in tokenizer;
}

/** `attach` only adds words to text encoders that have this config. */
function vocabularySizeOf(textEncoder: TextEncoder): number {
  return (textEncoder as TextEncoder & { readonly config: { readonly vocabSize: number } }).config.vocabSize;
}

function truncatedWarning(option: string, { maxLength }: Tokenizer, truncated: string): Warning[] {
  if (truncated === '') return [];
  const message = `${option} is longer than the model's ${maxLength} tokens. Left out: ${JSON.stringify(truncated)}.`;
  return [{ code: 'prompt-truncated', message }];
}

function missingWarning(word: string): Warning {
  return { code: 'embedding-missing', message: `The prompt has embedding:${word}, but no such word is attached.` };
}

function ignoredWarning({ component }: StackEncoder): Warning {
  return { code: 'weights-ignored', message: `${component} reads prompts without their weights.` };
}
