import type { Nodes } from '../nodes.js';
import { type Dim, staticDim, type Value } from '../value.js';

/** Elementary operations of one node each, for the other forms and for Graph's methods of the same names. */

export function add(n: Nodes, a: Value, b: Value): Value {
  return n.op('Add', [a, b], a.dims);
}

export function mul(n: Nodes, a: Value, b: Value): Value {
  return n.op('Mul', [a, b], a.dims);
}

export function concat(n: Nodes, values: readonly Value[], axis: number): Value {
  const size = values.reduce((sum, value) => sum + staticDim(value, axis), 0);
  return n.op('Concat', values, values[0].dims.with(axis, size), { axis: BigInt(axis) });
}

export function transpose(n: Nodes, x: Value, order: readonly number[]): Value {
  const dims = order.map((axis) => x.dims[axis]);
  return n.op('Transpose', [x], dims, { perm: order.map(BigInt) });
}

export function expand(n: Nodes, x: Value, dims: readonly Dim[]): Value {
  return n.op('Expand', [x, n.shapes.shape(dims)], dims);
}
