import type { TensorView } from '@sd/weights';
import type { Nodes } from '../nodes.js';
import type { Scope } from '../scope.js';
import { staticDim, type Value } from '../value.js';
import { add, mul } from './basic.js';

/** See `Graph.groupNorm`. */
export function groupNorm(
  n: Nodes,
  x: Value,
  w: Scope,
  { groups, epsilon }: { readonly groups: number; readonly epsilon: number },
): Value {
  const channels = staticDim(x, 1);
  const grouped = n.cast(n.shapes.reshape(x, [x.dims[0], groups, -1]), 'float32');
  const ones = n.constant(new Array(groups).fill(1));
  const zeros = n.constant(new Array(groups).fill(0));
  const normalizedGroups = n.op('InstanceNormalization', [grouped, ones, zeros], grouped.dims, { epsilon });
  const normalized = n.shapes.reshape(n.cast(normalizedGroups), x.dims);
  const perChannel = [channels, ...x.dims.slice(2).map(() => 1)];
  const scale = n.weight({ ...w.tensor('weight', [channels]), shape: perChannel });
  const shift = n.weight({ ...w.tensor('bias', [channels]), shape: perChannel });
  return add(n, mul(n, normalized, scale), shift);
}

/** See `Graph.layerNormalization`. */
export function layerNormalization(n: Nodes, x: Value, scale: TensorView, shift: TensorView, epsilon: number): Value {
  const inputs = [n.cast(x, 'float32'), n.weight(scale, 'float32'), n.weight(shift, 'float32')];
  return n.cast(n.op('LayerNormalization', inputs, x.dims, { axis: -1n, epsilon }));
}

/** Normalizes the last axis, with neither scale nor shift. */
export function standardized(n: Nodes, x: Value, epsilon: number): Value {
  const ones = n.constant(new Array(staticDim(x, -1)).fill(1));
  return n.cast(n.op('LayerNormalization', [n.cast(x, 'float32'), ones], x.dims, { axis: -1n, epsilon }));
}

/** x [..., size] over the root of its mean square, times a scale [size]. */
export function rmsNorm(n: Nodes, x: Value, scale: TensorView, epsilon: number): Value {
  const inputs = [n.cast(x, 'float32'), n.weight(scale, 'float32')];
  // ONNX Runtime has this operator of its own in ONNX's domain; ONNX's RMSNormalization is of a later operator set.
  return n.cast(n.op('SimplifiedLayerNormalization', inputs, x.dims, { axis: -1n, epsilon }));
}
