import { type GraphOptions, scoreBytes } from '@sd/graph';
import type { MmditConfig } from './config.js';

/**
 * About how many bytes a call takes, besides the weights, for n samples of height x width latents: a block's tokens, their
 * queries, keys and values, and its feed-forward network, which is four times as wide.
 */
export function mmditWorkingBytes(
  { width, patchSize }: Pick<MmditConfig, 'width' | 'patchSize'>,
  graph: GraphOptions,
  [n, height, columns]: readonly [n: number, height: number, width: number],
): number {
  const tokens = (height * columns) / patchSize ** 2;
  const bytes = graph.features?.float16 === true ? 2 : 4;
  return bytes * n * tokens * 14 * width + scoreBytes(graph, n, tokens);
}
