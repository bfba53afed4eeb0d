import {
  type Tensor,
  type TextEmbedding,
  type TextEncoder,
  type TextEncoderOptions,
  type Tokens,
  tensor,
} from '@sd/core';
import type { WeightedTokens } from '@sd/tokenizer/prompt';

/** A window to encode, and which of its tokens no other may attend to. */
export interface Window {
  readonly tokens: Tokens;
  /** 1 for a hidden token: [maxLength]. */
  readonly hides?: Uint8Array;
}

export interface WeightedWindow extends Window {
  readonly tokens: WeightedTokens;
}

export interface WindowQueue {
  ask<W extends Window>(window: W): W;
  /** Encodes all windows together, each once; the result tells what one of them became. */
  encode(textEncoder: TextEncoder, options: TextEncoderOptions): Promise<(window: Window) => TextEmbedding>;
}

const hidden = -1e9;

export function windowQueue(): WindowQueue {
  const asked = new Map<string, Window>();
  const keyOf = ({ tokens, hides }: Window) => `${tokens.ids.join()}/${hides?.join() ?? ''}`;
  return {
    ask(window) {
      asked.set(keyOf(window), window);
      return window;
    },
    async encode(textEncoder, options) {
      const windows = [...asked.values()];
      const bias = biasOf(windows);
      const encoded = await textEncoder.encode(
        windows.map(({ tokens }) => tokens),
        bias === undefined ? options : { ...options, conditions: { ...options.conditions, attention_bias: bias } },
      );
      const results = new Map([...asked.keys()].map((key, i) => [key, encoded[i]!]));
      return (window) => results.get(keyOf(window))!;
    },
  };
}

/** What is added to the scores of attention, [windows, 1, tokens, tokens]; undefined where no token is hidden. */
function biasOf(windows: readonly Window[]): Tensor<'float32'> | undefined {
  if (windows.every(({ hides }) => hides === undefined)) return undefined;
  const length = windows[0]!.tokens.ids.length;
  const bias = tensor('float32', [windows.length, 1, length, length]);
  windows.forEach(({ hides }, i) => {
    if (hides === undefined) return;
    const row = Float32Array.from(hides, (hide) => hide * hidden);
    for (let token = 0; token < length; token++) bias.data.set(row, (i * length + token) * length);
  });
  return bias;
}
