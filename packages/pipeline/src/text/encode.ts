import type { Tensor, TextEmbedding, TextEncoder, TextEncoderOptions } from '@sd/core';
import type { ClipTokenizer } from '@sd/tokenizer';
import {
  type ChunkOptions,
  type Clause,
  encodeFragments,
  type PromptText,
  type Section,
  type WeightedTokens,
  type WordTokenizer,
} from '@sd/tokenizer/prompt';
import { type EndTokens, withEndTokens } from './end-tokens.js';
import { fillUp, joinTokens } from './lengths.js';
import { lowered } from './lowered.js';
import { applyWeights, mixed, mixWithout, type WeightMode } from './weights.js';
import { type WeightedWindow, type Window, type WindowQueue, windowQueue } from './windows.js';

export interface EncodeTextsOptions extends TextEncoderOptions {
  readonly tokenizer: ClipTokenizer | WordTokenizer;
  readonly textEncoder: TextEncoder;
  /** Whose way of weighing tokens. */
  readonly weights: WeightMode;
  /** How a long text is divided: `chunkOptions` of its syntax. */
  readonly chunks?: ChunkOptions;
  /**
   * How compel's weights below 1 leave words out: hidden from the others' attention (`mask`, the default), or not there at
   * all (`remove`). Hiding wants a text encoder with the condition `attention_bias`, as `@sd/text-encoder`'s have.
   */
  readonly downweight?: 'mask' | 'remove';
  /**
   * What stands at the end tokens of a text's windows: `own` by default, as in compel. Prompts in `.and()` and `.blend()` are
   * texts of their own.
   */
  readonly endTokens?: EndTokens;
}

export interface EncodedTexts {
  /** One a text, [windows x maxLength, width] each. `pooled` is the first window's, but where the text says otherwise. */
  readonly embeddings: readonly TextEmbedding[];
  /** The empty prompt's, one window. */
  readonly empty: TextEmbedding;
  /** The end of each text that `maxChunks` left out. */
  readonly truncated: readonly string[];
  /** Textual inversions that are named and that the tokenizer does not know. */
  readonly missing: readonly string[];
}

type Hidden = Tensor<'float32'>;

/** What the windows that were asked for became. */
type Windows = (window: Window) => TextEmbedding;

/** A text's embedding, once all windows are encoded. */
type Later<T> = (windows: Windows) => T;

/** Texts of prompts as embeddings. All windows of all texts are encoded together, each once. */
export async function encodeTexts(texts: readonly PromptText[], options: EncodeTextsOptions): Promise<EncodedTexts> {
  const { tokenizer, textEncoder, weights, chunks, downweight = 'mask', endTokens = 'own', ...rest } = options;
  const queue = windowQueue();
  const missing = new Set<string>();
  const empty = queue.ask({ tokens: tokenizer.encode('') });
  const truncated: string[] = [];
  const waiting = texts.map((text, i) => {
    truncated.push('');
    const divide = (sections: readonly Section[]) => {
      const result = encodeFragments(tokenizer, sections, chunks);
      for (const word of result.missing) missing.add(word);
      return result;
    };
    const divideOnce = (sections: readonly Section[]) => {
      const result = divide(sections);
      truncated[i] = [truncated[i], result.truncated].filter((part) => part !== '').join(' ');
      return result.chunks;
    };
    const without = lowered((sections) => divide(sections).chunks, downweight);
    return textLater(text, { divide: divideOnce, without, ask: queue.ask, tokenizer, weights, endTokens, empty });
  });
  const windows = await queue.encode(textEncoder, rest);
  return {
    embeddings: waiting.map((later) => later(windows)),
    empty: windows(empty),
    truncated,
    missing: [...missing],
  };
}

interface Context {
  readonly divide: (sections: readonly Section[]) => readonly WeightedTokens[];
  readonly without: ReturnType<typeof lowered>;
  readonly ask: WindowQueue['ask'];
  readonly tokenizer: ClipTokenizer;
  readonly weights: WeightMode;
  readonly endTokens: EndTokens;
  readonly empty: Window;
}

function textLater({ clauses, pooledFrom }: PromptText, context: Context): Later<TextEmbedding> {
  const { tokenizer, ask } = context;
  const whole = pooledFrom === undefined ? undefined : ask({ tokens: tokenizer.encode(pooledFrom) });
  const waiting = clauses.map((clause) => clauseLater(clause, context));
  return (windows) => {
    const hidden = joinTokens(waiting.map((clause) => clause.hidden(windows)));
    const { pooled } = windows(whole ?? waiting[0]!.first);
    return { hidden, ...(pooled !== undefined && { pooled }) };
  };
}

function clauseLater({ weight, mix }: Clause, context: Context): { first: Window; hidden: Later<Hidden> } {
  const waiting = mix.map((one) => ({ weight: one.weight, ...passageLater(one.sections, context) }));
  const hidden: Later<Hidden> = (windows) => {
    const empty = windows(context.empty).hidden;
    const parts = waiting.map((part) => ({ weight: part.weight, hidden: part.hidden(windows) }));
    const tokens = Math.max(...parts.map((part) => part.hidden.dims[0]!));
    const sum = mixed(parts.map((part) => ({ ...part, hidden: fillUp(part.hidden, tokens, empty) })));
    if (weight === 1) return sum;
    const base = fillUp(empty, tokens, empty);
    return mixed([
      { hidden: sum, weight },
      { hidden: base, weight: 1 - weight },
    ]);
  };
  return { first: waiting[0]!.first, hidden };
}

function passageLater(sections: readonly Section[], context: Context): { first: Window; hidden: Later<Hidden> } {
  const { divide, without, ask, weights, endTokens, tokenizer, empty: emptyWindow } = context;
  const chunks = divide(sections);
  const ends = chunks.map(({ length }, i) => i * tokenizer.maxLength + length - 1);
  const asked = chunks.map((tokens) => ask({ tokens }));
  const lacking = weights === 'compel' ? without(sections, chunks) : [];
  const lackingAsked = lacking.map(({ weight, windows }) => ({ weight, windows: windows.map(ask) }));
  const hidden: Later<Hidden> = (windows) => {
    const empty = windows(emptyWindow).hidden;
    const weigh = (those: readonly WeightedWindow[]) =>
      joinTokens(those.map((one) => applyWeights(windows(one).hidden, one.tokens.weights, weights, empty)));
    const base = weigh(asked);
    const others = lackingAsked.map((one) => ({
      weight: one.weight,
      hidden: fillUp(weigh(one.windows), base.dims[0]!, empty),
    }));
    return withEndTokens(mixWithout(base, others), ends, endTokens);
  };
  return { first: asked[0]!, hidden };
}
