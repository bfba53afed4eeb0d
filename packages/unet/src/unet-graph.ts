import { Graph, type GraphModel, type GraphOptions, Scope, type TensorLookup } from '@sd/graph';
import type { UnetConfig } from './config.js';
import { downPath, midBlock, unetLayers } from './down-path.js';
import { joinedHooks, type UnetExtension } from './extension.js';
import { timeEmbedding } from './time-embedding.js';

export interface UnetGraphOptions extends GraphOptions {
  readonly extensions?: readonly UnetExtension[];
}

/**
 * Writes the U-Net's graph. Inputs: `sample` [n, in, h, w], `timestep` [1 or n] and `encoder_hidden_states` [n, tokens,
 * width]; depending on the model, `text_embeds` [n, width] and `time_ids` [n, numbers], or `timestep_cond` [n, width].
 * Output: `out_sample` [n, out, h, w]. Height and width may be any: where downsampling rounded up, upsampling restores the
 * size of the skip connection.
 * @see arXiv 2112.10752; tensor names as in diffusers' `UNet2DConditionModel`
 */
export function unetGraph(
  checkpoint: TensorLookup,
  config: UnetConfig,
  { extensions = [], ...options }: UnetGraphOptions = {},
): GraphModel {
  const g = new Graph(options);
  const w = new Scope(checkpoint);
  const sample = g.input('sample', ['batch', config.inChannels, 'height', 'width']);
  const timestep = g.input('timestep', ['timesteps']);
  const context = g.input('encoder_hidden_states', ['batch', 'tokens', config.levels[0].contextWidth]);
  const hooks = joinedHooks(g, extensions);
  const blocks = { config, time: timeEmbedding(g, w, timestep, config), context, hooks };
  const { resnet, attend } = unetLayers(g, blocks);

  const { levels } = config;
  const deepest = levels.length - 1;
  const features = downPath(g, w, g.conv(sample, w.at('conv_in'), levels[0].channels), blocks);
  const skips = features.map((feature, i) => hooks.feature(`skips.${i}`, feature));
  let x = midBlock(g, w, features[features.length - 1], blocks);

  levels.toReversed().forEach((level, i) => {
    const at = w.at('up_blocks', i);
    for (let j = 0; j <= level.resnets; j++) {
      x = resnet(at.at('resnets', j), g.concat([x, skips.pop()!], 1), level.channels);
      x = attend(at.at('attentions', j), x, level.upHeads, level.upDepths[j]);
      x = hooks.feature(`${at.path}.layers.${j}`, x);
    }
    if (i < deepest) x = g.conv(g.upsample(x, skips.at(-1)!), at.at('upsamplers.0.conv'), level.channels);
  });

  x = g.silu(g.groupNorm(x, w.at('conv_norm_out'), config));
  g.output('out_sample', g.conv(x, w.at('conv_out'), config.outChannels));
  return g.finish('unet', { repeated: true });
}
