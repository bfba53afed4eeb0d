import type { Tensor } from '@sd/core';
import { type MapSize, resizeMap } from './resize.js';

/** Where a word is in the context. */
export interface WordPlace {
  /** Positions of all its tokens; several for each token if the context repeats a text. */
  readonly positions: readonly number[];
  /** Number of its tokens. */
  readonly tokens: number;
}

/** The attention to words over the calls of a run, by keys of the words. */
export interface HeatMaps<Key> {
  /** Adds what a layer gives for one sample of a call: map `row` of [samples, tokens, h, w]. */
  add(layer: string, maps: Tensor<'float32'>, row: number, words: ReadonlyMap<Key, WordPlace>): void;
  /**
   * A word's map at this size, [h * w]: the mean of its tokens and of the calls in each layer, scaled up, then the mean of
   * the layers. Values are probabilities, from 0. Undefined if nothing was added for the word.
   */
  mapOf(word: Key, size: MapSize): Float32Array | undefined;
}

interface Sum {
  readonly size: MapSize;
  readonly data: Float32Array;
  calls: number;
}

/**
 * Averages maps as DAAM does (arXiv 2210.04885, equation 6), but with the heads averaged before: a layer's undershoot in
 * scaling up is cut off at 0 once, not for each head.
 */
export function heatMaps<Key>(): HeatMaps<Key> {
  /** For each word, the sums of each layer at each of its sizes: passes of a run may differ in size. */
  const sums = new Map<Key, Map<string, Sum>>();

  const sumOf = (word: Key, layer: string, size: MapSize): Sum => {
    const ofWord = sums.get(word) ?? new Map<string, Sum>();
    const key = `${layer} ${size}`;
    const sum = ofWord.get(key) ?? { size, data: new Float32Array(size[0] * size[1]), calls: 0 };
    sums.set(word, ofWord.set(key, sum));
    return sum;
  };

  return {
    add(layer, { dims, data }, row, words) {
      const [, tokens, height, width] = dims;
      const positions = height * width;
      for (const [word, place] of words) {
        const sum = sumOf(word, layer, [height, width]);
        sum.calls += 1;
        for (const position of place.positions) {
          const start = (row * tokens + position) * positions;
          for (let i = 0; i < positions; i++) sum.data[i] += data[start + i] / place.tokens;
        }
      }
    },
    mapOf(word, size) {
      const ofWord = [...(sums.get(word)?.values() ?? [])];
      if (ofWord.length === 0) return undefined;
      const calls = ofWord.reduce((total, sum) => total + sum.calls, 0);
      const mean = new Float32Array(size[0] * size[1]);
      for (const sum of ofWord) {
        // Each layer has as many calls as any other, so that all calls together weigh the layers equally.
        resizeMap(sum.data, sum.size, size).forEach((value, i) => {
          mean[i] += Math.max(value, 0) / calls;
        });
      }
      return mean;
    },
  };
}
