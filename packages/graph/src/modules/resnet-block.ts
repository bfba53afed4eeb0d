import type { Graph } from '../graph.js';
import type { Scope } from '../scope.js';
import { staticDim, type Value } from '../value.js';

export interface ResnetBlockOptions {
  /** Output channels. */
  readonly out: number;
  readonly groups: number;
  readonly epsilon: number;
  /** The timestep embedding after its activation, [n, width]; autoencoders have none. */
  readonly time?: Value;
}

/** Two convolutions with a shortcut, x [n, in, h, w] to [n, out, h, w]; diffusers' `ResnetBlock2D`. */
export function resnetBlock(g: Graph, w: Scope, x: Value, { out, groups, epsilon, time }: ResnetBlockOptions): Value {
  const norm = { groups, epsilon };
  const shortcut = staticDim(x, 1) === out ? x : g.conv(x, w.at('conv_shortcut'), out, { kernel: 1 });
  let h = g.conv(g.silu(g.groupNorm(x, w.at('norm1'), norm)), w.at('conv1'), out);
  if (time !== undefined) {
    const shift = g.linear(time, w.at('time_emb_proj'), out);
    h = g.add(h, g.reshape(shift, [shift.dims[0], out, 1, 1]));
  }
  h = g.conv(g.silu(g.groupNorm(h, w.at('norm2'), norm)), w.at('conv2'), out);
  // With the shortcut first, the runtime need not keep x during the branch: that saves 128 MB in a 512 x 512 decode.
  return g.add(shortcut, h);
}
