import { type GraphOptions, scoreBytes } from '@sd/graph';
import type { UnetLevel } from './config.js';

/**
 * About how many bytes a call takes, besides the weights, for n samples of height x width latents: the skip connections of
 * the down path, and the largest block in addition. That is a residual block of the up path, which holds its joined input,
 * the same normalized, and two maps of its output; or the feed-forward network of a transformer, twelve times as wide as
 * its tokens.
 */
export function unetWorkingBytes(
  { levels }: { readonly levels: readonly Pick<UnetLevel, 'channels' | 'resnets' | 'downHeads' | 'upHeads'>[] },
  graph: GraphOptions,
  [n, height, width]: readonly [n: number, height: number, width: number],
): number {
  let skips = 0;
  let block = 0;
  let scores = 0;
  levels.forEach(({ channels, resnets, downHeads, upHeads }, i) => {
    const scale = 4 ** -i;
    const below = levels[i + 1]?.channels ?? channels;
    const hasAttention = downHeads + upHeads > 0;
    skips += (resnets + 1) * channels * scale;
    block = Math.max(block, 4 * (channels + below) * scale, hasAttention ? 14 * channels * scale : 0);
    if (hasAttention) scores = Math.max(scores, scoreBytes(graph, n, height * width * scale));
  });
  const bytes = graph.features?.float16 === true ? 2 : 4;
  return bytes * n * height * width * (skips + block) + scores;
}
