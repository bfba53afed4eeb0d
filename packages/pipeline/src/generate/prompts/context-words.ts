import { lazyImport, type Tensor, tensor, UnsupportedError } from '@sd/core';
import type { PromptSyntax } from '@sd/tokenizer/prompt';
import type { Context } from './prompt-schedule.js';
import { isClipTokenizer, tokenizerWithWords } from './read-texts.js';
import type { TextStack } from './text-stack.js';

/** A word of a prompt, and its tokens in the context of the noise predictor. */
export interface ContextWord {
  readonly word: string;
  /** Positions of its tokens; each token has several in a text that is repeated to the length of another. */
  readonly positions: readonly number[];
  /** Number of its tokens. */
  readonly tokens: number;
}

/** A context's lengths in tokens, before it is brought to the length of the others. */
export interface ContextLength {
  readonly context: Context;
  readonly tokens: number;
  /** The empty prompt's; undefined if nothing is filled up. */
  readonly empty: number | undefined;
}

/**
 * The words of contexts, by the text of the first encoder: the others have the same tokens at the same positions, unless
 * they read a prompt of their own. Rejects with an UnsupportedError for a tokenizer that cannot tell words apart.
 */
export async function contextWords(
  lengths: readonly ContextLength[],
  { encoders: [encoder] }: TextStack,
  syntax: PromptSyntax,
): Promise<ReadonlyMap<Context, readonly ContextWord[]>> {
  if (!isClipTokenizer(encoder.tokenizer)) {
    throw new UnsupportedError(
      'attentionMaps needs a tokenizer with tokenize(), decode() and the ids of its special tokens, such as those of @sd/tokenizer: this one cannot tell which tokens a word has.',
    );
  }
  const { placeWords } = await lazyImport(() => import('@sd/tokenizer/prompt'));
  const tokenizer = await tokenizerWithWords(encoder);
  const placesOf = alignedPositions(lengths, syntax);
  return new Map(
    lengths.map(({ context }, i) => [
      context,
      placeWords(context.texts[0], tokenizer, syntax).map(({ word, positions }) => ({
        word,
        positions: positions.flatMap((position) => placesOf(i, position)),
        tokens: positions.length,
      })),
    ]),
  );
}

/** Where a context's tokens are after the syntax has aligned it with the others: aligns the tokens' numbers in place of vectors. */
function alignedPositions(lengths: readonly ContextLength[], { align }: PromptSyntax) {
  const numbers = (count: number, first: number): Tensor<'float32'> =>
    tensor('float32', [count, 1], first === 0 ? undefined : Float32Array.from({ length: count }, (_, i) => first + i));
  const aligned = align(
    lengths.map(({ tokens, empty }) => ({
      embedding: { hidden: numbers(tokens, 1) },
      ...(empty !== undefined && { empty: { hidden: numbers(empty, 0) } }),
    })),
  );
  const places = aligned.map(({ hidden }) => {
    const ofToken = new Map<number, number[]>();
    hidden.data.forEach((number, place) => {
      if (number === 0) return;
      const found = ofToken.get(number - 1) ?? [];
      found.push(place);
      ofToken.set(number - 1, found);
    });
    return ofToken;
  });
  return (context: number, token: number): readonly number[] => places[context].get(token) ?? [];
}
