import { type Graph, type Scope, staticDim, type Value } from '@sd/graph';
import { joinedHooks, transformerBlock } from '@sd/unet/blocks';
import type { MotionConfig } from './config.js';

/** Epsilon of the group norm before the transformer. */
const epsilon = 1e-6;

/**
 * Attention of each position of a feature map [n, c, h, w] to the same position in a clip's other frames; n is clips times
 * frames. Groups are normalized over all frames of a clip.
 * @param frames How many frames a clip has: a whole number, [1].
 * @see AnimateDiff, arXiv 2307.04725; tensor names as in diffusers' `AnimateDiffTransformer3D`
 */
export function motionModule(g: Graph, w: Scope, x: Value, frames: Value, { heads, groups }: MotionConfig): Value {
  const channels = staticDim(x, 1);
  const hooks = joinedHooks(g, []);
  const clips = g.splitBatch(g.reshape(x, [x.dims[0], channels, -1]), frames);
  const normal = g.groupNorm(g.transpose(clips, [0, 2, 1, 3]), w.at('norm'), { groups, epsilon });
  const places = g.transpose(normal, [0, 3, 2, 1]);
  const [, , count] = places.dims;
  let h = g.linear(g.reshape(places, [-1, count, channels]), w.at('proj_in'), channels);
  for (let i = 0; w.has(`transformer_blocks.${i}`); i++) {
    const at = w.at('transformer_blocks', i);
    const positions = firstRows(g, g.weight(at.tensor('pos_embed.pe', [1, -1, channels])), frames, count);
    h = transformerBlock(g, at, h, { heads, hooks, positions });
  }
  const back = g.reshape(g.linear(h, w.at('proj_out'), channels), places.dims);
  return g.add(x, g.reshape(g.transpose(back, [0, 2, 3, 1]), x.dims));
}

/** The first `count` of positions [1, rows, c]. */
function firstRows(g: Graph, positions: Value, count: Value, size: Value['dims'][number]): Value {
  const inputs = [positions, g.indices([0]), count, g.indices([1])];
  return g.op('Slice', inputs, [1, size, positions.dims[2]]);
}
