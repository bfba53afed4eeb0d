import type { Graph, Scope, Value } from '@sd/graph';
import type { AddedEmbedding, UnetConfig } from './config.js';

/**
 * The embedding added in every residual block, after its activation: of the timestep [1 or n] and, for models that take
 * them, the guidance scale (`timestep_cond`), and the pooled text and the sizes (`text_embeds`, `time_ids`).
 */
export function timeEmbedding(g: Graph, w: Scope, timestep: Value, config: UnetConfig): Value {
  const { cosineFirst, frequencyShift: shift, guidanceWidth, added, levels } = config;
  const base = levels[0].channels;
  let sinusoids = g.timestepEmbedding(timestep, base, { cosineFirst, shift });
  if (guidanceWidth !== undefined) {
    const guidance = g.input('timestep_cond', ['batch', guidanceWidth]);
    sinusoids = g.add(g.linear(guidance, w.at('time_embedding.cond_proj'), base), sinusoids);
  }
  const time = mlp(g, w.at('time_embedding'), sinusoids, 4 * base);
  if (added === undefined) return g.silu(time);
  const textAndSizes = addedEmbedding(g, added, { cosineFirst, shift });
  return g.silu(g.add(mlp(g, w.at('add_embedding'), textAndSizes, 4 * base), time));
}

/** diffusers' `TimestepEmbedding`. */
function mlp(g: Graph, w: Scope, x: Value, out: number): Value {
  return g.linear(g.silu(g.linear(x, w.at('linear_1'), out)), w.at('linear_2'), out);
}

/** The pooled text and the sinusoids of each number, concatenated: [n, width] (SDXL, arXiv 2307.01952, 2.2). */
function addedEmbedding(
  g: Graph,
  { timeWidth, width }: AddedEmbedding,
  options: { readonly cosineFirst: boolean; readonly shift: number },
): Value {
  const text = g.input('text_embeds', ['batch', 'pooled']);
  const numbers = g.input('time_ids', ['batch', 'numbers']);
  const sinusoids = g.timestepEmbedding(g.reshape(numbers, [-1]), timeWidth, options);
  return g.op('Concat', [text, g.reshape(sinusoids, ['batch', -1])], ['batch', width], { axis: 1n });
}
