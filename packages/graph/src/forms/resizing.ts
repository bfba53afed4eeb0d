import type { Nodes } from '../nodes.js';
import type { Dim, Value } from '../value.js';

/** See `Graph.upsample`. */
export function upsample(n: Nodes, x: Value, like: Value | undefined): Value {
  const [batch, channels, height, width] = x.dims;
  const attributes = { mode: 'nearest', nearest_mode: 'floor', coordinate_transformation_mode: 'asymmetric' };
  const none = { name: '', dims: [] };
  if (like === undefined) {
    const double = (dim: Dim) => (typeof dim === 'number' ? 2 * dim : undefined);
    const sizes = [batch, channels, double(height), double(width)];
    return n.sized('Resize', [x, none, n.constant([1, 1, 2, 2])], sizes, attributes);
  }
  const sizes = [batch, channels, like.dims[2], like.dims[3]];
  return n.sized('Resize', [x, none, none, n.shapes.shape(sizes)], sizes, attributes);
}

/** See `Graph.averagePool`. */
export function averagePool(n: Nodes, x: Value): Value {
  const [batch, channels, height, width] = x.dims;
  const half = (dim: Dim) => (typeof dim === 'number' ? Math.ceil(dim / 2) : undefined);
  return n.sized('AveragePool', [x], [batch, channels, half(height), half(width)], {
    kernel_shape: [2n, 2n],
    strides: [2n, 2n],
    ceil_mode: 1n,
  });
}
