import type { Graph, Scope, Value } from '@sd/graph';
import type { AddedEmbedding, UnetConfig } from './config.js';

/**
 * What every residual block is told beside its features, its activation included: the timestep [1 or n], and where the
 * model knows of them the guidance scale (`timestep_cond`), the pooled text and the sizes (`text_embeds`, `time_ids`).
 */
export function timeEmbedding(g: Graph, w: Scope, timestep: Value, config: UnetConfig): Value {
  const { cosineFirst, frequencyShift: shift, guidanceWidth, added, levels } = config;
  const base = levels[0].channels;
  let waves = g.timestepEmbedding(timestep, base, { cosineFirst, shift });
  if (guidanceWidth !== undefined) {
    const guidance = g.input('timestep_cond', ['batch', guidanceWidth]);
    waves = g.add(g.linear(guidance, w.at('time_embedding.cond_proj'), base), waves);
  }
  const time = mlp(g, w.at('time_embedding'), waves, 4 * base);
  if (added === undefined) return g.silu(time);
  const told = sizeEmbedding(g, added, { cosineFirst, shift });
  return g.silu(g.add(mlp(g, w.at('add_embedding'), told, 4 * base), time));
}

/** diffusers' `TimestepEmbedding`. */
function mlp(g: Graph, w: Scope, x: Value, out: number): Value {
  return g.linear(g.silu(g.linear(x, w.at('linear_1'), out)), w.at('linear_2'), out);
}

/** The pooled text and the sinusoids of each number, one after the other: [n, width] (SDXL, arXiv 2307.01952, 2.2). */
function sizeEmbedding(
  g: Graph,
  { timeWidth, width }: AddedEmbedding,
  options: { readonly cosineFirst: boolean; readonly shift: number },
): Value {
  const text = g.input('text_embeds', ['batch', 'pooled']);
  const numbers = g.input('time_ids', ['batch', 'numbers']);
  const waves = g.timestepEmbedding(g.reshape(numbers, [-1]), timeWidth, options);
  return g.op('Concat', [text, g.reshape(waves, ['batch', -1])], ['batch', width], { axis: 1n });
}
