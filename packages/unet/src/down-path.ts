import { type Graph, resnetBlock, type Scope, type Value } from '@sd/graph';
import type { UnetConfig } from './config.js';
import type { BlockHooks } from './extension.js';
import { transformer } from './transformer.js';

/** Shared by all blocks of one network. */
export interface BlockOptions {
  readonly config: UnetConfig;
  /** The embedding that every residual block adds: `timeEmbedding`. */
  readonly time: Value;
  /** The context of cross-attention: [n, tokens, width]. */
  readonly context: Value;
  readonly hooks: BlockHooks;
}

/** The two layers that blocks are made of. */
export function unetLayers(g: Graph, { config, time, context, hooks }: BlockOptions) {
  const { groups, epsilon, upcastAttention: upcast } = config;
  return {
    resnet: (at: Scope, x: Value, out: number) => resnetBlock(g, at, x, { out, groups, epsilon, time }),
    attend: (at: Scope, x: Value, heads: number, depth: number) =>
      heads === 0 ? x : transformer(g, at, x, { heads, depth, groups, context, hooks, upcast }),
  };
}

/** The down path, from the output of `conv_in`: gives all feature maps for the skip connections; the last is its output. */
export function downPath(g: Graph, w: Scope, features: Value, options: BlockOptions): Value[] {
  const { resnet, attend } = unetLayers(g, options);
  const { hooks, config } = options;
  let x = features;
  const skips = [x];
  config.levels.forEach((level, i) => {
    const at = w.at('down_blocks', i);
    for (let j = 0; j < level.resnets; j++) {
      x = resnet(at.at('resnets', j), x, level.channels);
      x = attend(at.at('attentions', j), x, level.downHeads, level.downDepths[j]);
      x = hooks.feature(`${at.path}.layers.${j}`, x);
      skips.push(x);
    }
    if (i < config.levels.length - 1) {
      x = g.conv(x, at.at('downsamplers.0.conv'), level.channels, { stride: 2 });
      skips.push(x);
    }
    x = hooks.feature(at.path, skips.pop()!);
    skips.push(x);
  });
  return skips;
}

/** The mid block, between the down path and the up path. */
export function midBlock(g: Graph, w: Scope, features: Value, options: BlockOptions): Value {
  const { resnet, attend } = unetLayers(g, options);
  const { hooks, config } = options;
  let x = features;
  if (config.mid !== undefined) {
    const { channels } = config.levels.at(-1)!;
    x = resnet(w.at('mid_block.resnets.0'), x, channels);
    if (config.mid.heads > 0) {
      x = attend(w.at('mid_block.attentions.0'), x, config.mid.heads, config.mid.depth);
      x = hooks.feature('mid_block.layers.0', x);
      x = resnet(w.at('mid_block.resnets.1'), x, channels);
    }
  }
  return hooks.feature('mid_block', x);
}
