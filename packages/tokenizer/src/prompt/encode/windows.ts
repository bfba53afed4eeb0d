import {
  type Conditions,
  type Tensor,
  type TextEmbedding,
  type TextEncoder,
  type TextEncoderOptions,
  type Tokens,
  tensor,
} from '@sd/core';
import type { WeightedTokens } from '../chunks.js';

/** A window of tokens to encode. */
export interface Window {
  readonly tokens: Tokens;
  /** 1 for tokens that the others may not attend to: [maxLength]. */
  readonly hides?: Uint8Array;
}

export interface WeightedWindow extends Window {
  readonly tokens: WeightedTokens;
}

/** The embedding of a window that was encoded. */
export type EmbeddingOf = (window: Window) => TextEmbedding;

/** Added to attention scores that are to become zero. */
const masked = -1e9;

/** Encodes windows in one batch, equal ones once. */
export async function encodeWindows(
  windows: readonly Window[],
  textEncoder: TextEncoder,
  options: TextEncoderOptions,
): Promise<EmbeddingOf> {
  const unique = new Map(windows.map((window) => [keyOf(window), window]));
  const batch = [...unique.values()];
  const bias = attentionBias(batch);
  const conditions: Conditions | undefined =
    bias === undefined ? options.conditions : { ...options.conditions, attention_bias: bias };
  const embeddings = await textEncoder.encode(
    batch.map(({ tokens }) => tokens),
    { ...options, conditions },
  );
  const byKey = new Map([...unique.keys()].map((key, i) => [key, embeddings[i]]));
  return (window) => byKey.get(keyOf(window))!;
}

function keyOf({ tokens, hides }: Window): string {
  return `${tokens.ids.join()}/${hides?.join() ?? ''}`;
}

/** What is added to attention scores, [windows, 1, tokens, tokens]; undefined if no token is hidden. */
function attentionBias(windows: readonly Window[]): Tensor<'float32'> | undefined {
  if (windows.every(({ hides }) => hides === undefined)) return undefined;
  const { length } = windows[0].tokens.ids;
  const bias = tensor('float32', [windows.length, 1, length, length]);
  windows.forEach(({ hides }, i) => {
    if (hides === undefined) return;
    const row = Float32Array.from(hides, (hide) => hide * masked);
    for (let token = 0; token < length; token++) bias.data.set(row, (i * length + token) * length);
  });
  return bias;
}
