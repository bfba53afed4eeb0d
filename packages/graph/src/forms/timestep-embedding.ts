import type { Nodes } from '../nodes.js';
import type { Value } from '../value.js';

export interface TimestepEmbeddingOptions {
  /** True for [cos, sin], false for [sin, cos]: diffusers' `flip_sin_to_cos`. */
  readonly cosineFirst: boolean;
  /** Moves the last frequency, which is near 1 / 10000: diffusers' `downscale_freq_shift`. */
  readonly shift: number;
}

/** See `Graph.timestepEmbedding`. */
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
