import { type GraphOptions, scoreBytes } from '@sd/graph';
import type { VaeConfig } from './config.js';

/**
 * About how many bytes decoding takes, besides the weights, for n latents of height x width: the first residual block of a
 * level holds its input, from the level below, twice, and its output twice. At the image's resolution that is 3 kB a pixel
 * in Stable Diffusion. The attention is at the latents' resolution, and has a single head.
 */
export function vaeWorkingBytes(
  { channels, midAttention }: Pick<VaeConfig, 'channels' | 'midAttention'>,
  graph: GraphOptions,
  [n, height, width]: readonly [n: number, height: number, width: number],
): number {
  const pixels = height * width * 4 ** (channels.length - 1);
  const blocks = channels.map(
    (channelCount, i) => (2 * channelCount + 2 * (channels[i + 1] ?? channelCount)) * 4 ** -i,
  );
  return 4 * n * pixels * Math.max(...blocks) + (midAttention ? scoreBytes(graph, n, height * width) : 0);
}
