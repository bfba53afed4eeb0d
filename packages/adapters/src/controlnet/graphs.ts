import { Graph, type GraphModel, type GraphOptions, Scope, staticDim, type TensorLookup, type Value } from '@sd/graph';
import type { UnetExtension } from '@sd/unet';
import { downPath, joinedHooks, midBlock, timeEmbedding } from '@sd/unet/blocks';
import type { ControlNetConfig } from './config.js';

/**
 * The part that reads the image, the same at every step: `image` [n, channels, h * 8, w * 8], 0 to 1, in, `features`
 * [n, c, h, w] out.
 * @see arXiv 2302.05543; tensor names as in diffusers' `ControlNetConditioningEmbedding`
 */
export function controlImageGraph(
  checkpoint: TensorLookup,
  config: ControlNetConfig,
  options: GraphOptions,
): GraphModel {
  const g = new Graph(options);
  const w = new Scope(checkpoint, 'controlnet_cond_embedding');
  const { imageLevels: levels } = config;
  const image = g.input('image', ['batch', config.imageChannels, 'height', 'width']);
  let x = g.silu(g.conv(image, w.at('conv_in'), levels[0]));
  for (let i = 1; i < levels.length; i++) {
    x = g.silu(g.conv(x, w.at('blocks', 2 * i - 2), levels[i - 1]));
    x = g.silu(g.conv(x, w.at('blocks', 2 * i - 1), levels[i], { stride: 2 }));
  }
  g.output('features', g.conv(x, w.at('conv_out'), config.unet.levels[0].channels));
  return g.finish('controlnet_image', { repeated: false });
}

/** Name of a ControlNet's i-th output, and of the U-Net's input that it is added at; the last is the mid block's. */
export const residualNames = (skips: number): string[] => [
  ...Array.from({ length: skips }, (_, i) => `down_block_additional_residual.${i}`),
  'mid_block_additional_residual',
];

/** The number of skip connections to the up path. */
export function skipCount({ levels }: ControlNetConfig['unet']): number {
  return levels.reduce((count, { resnets }) => count + resnets + 1, 0);
}

export interface ControlNetGraphOptions extends GraphOptions {
  readonly extensions?: readonly UnetExtension[];
}

/**
 * The ControlNet: a U-Net's inputs and `features` in, what is added to the U-Net out, each times its part of `scales`
 * [outputs].
 */
export function controlNetGraph(
  checkpoint: TensorLookup,
  config: ControlNetConfig,
  { extensions = [], ...options }: ControlNetGraphOptions,
): GraphModel {
  const g = new Graph(options);
  const w = new Scope(checkpoint);
  const { unet } = config;
  const { channels, contextWidth } = unet.levels[0];
  const sample = g.input('sample', ['batch', unet.inChannels, 'height', 'width']);
  const timestep = g.input('timestep', ['timesteps']);
  const context = g.input('encoder_hidden_states', ['batch', 'tokens', contextWidth]);
  const features = g.input('features', ['images', channels, 'height', 'width']);
  const names = residualNames(skipCount(unet));
  const scales = g.input('scales', [names.length]);
  const hooks = joinedHooks(g, extensions);
  const blocks = { config: unet, time: timeEmbedding(g, w, timestep, unet), context, hooks };

  const skips = downPath(g, w, g.add(g.conv(sample, w.at('conv_in'), channels), features), blocks);
  const bottom = midBlock(g, w, skips[skips.length - 1], blocks);
  [...skips, bottom].forEach((x, i) => {
    const at = i < skips.length ? w.at('controlnet_down_blocks', i) : w.at('controlnet_mid_block');
    const scale = g.op('Gather', [scales, g.indices([i])], [1]);
    const residual = g.mul(g.conv(x, at, staticDim(x, 1), { kernel: 1 }), scale);
    g.output(names[i], config.pooled ? pooled(g, residual) : residual);
  });
  return g.finish('controlnet', { repeated: true });
}

/** The mean of each channel, at every position. */
function pooled(g: Graph, x: Value): Value {
  const mean = g.op('GlobalAveragePool', [x], [...x.dims.slice(0, 2), 1, 1]);
  return g.op('Expand', [mean, g.op('Shape', [x], [4])], x.dims);
}
