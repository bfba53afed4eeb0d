import type { Nodes } from '../nodes.js';
import type { Value } from '../value.js';

/** What an embedding begins with, and where its frequencies end: at 1 / 10000 with a shift of 0. */
export interface TimestepEmbeddingOptions {
  readonly cosineFirst: boolean;
  readonly shift: number;
}

/**
 * The sinusoidal embedding of a timestep [n]: [n, width].
 * @see arXiv 1706.03762, 3.5, as diffusers' `get_timestep_embedding` has it
 */
export function timestepEmbedding(
  n: Nodes,
  timestep: Value,
  width: number,
  { cosineFirst, shift }: TimestepEmbeddingOptions,
): Value {
  const half = width / 2;
  const frequencies = Array.from({ length: half }, (_, i) => Math.exp((-Math.log(10000) * i) / (half - shift)));
  const rows = timestep.dims[0];
  const column = n.shapes.reshape(timestep, [rows, 1]);
  const angles = n.op('Mul', [column, n.constant(frequencies, [1, half])], [rows, half]);
  const parts = [n.precise('Sin', angles), n.precise('Cos', angles)];
  return n.op('Concat', cosineFirst ? parts.reverse() : parts, [rows, 2 * half], { axis: 1n });
}
