import type { TensorView } from '@sd/weights';
import type { NormChange } from '../layer-hook.js';
import type { Nodes } from '../nodes.js';
import type { Scope } from '../scope.js';
import { staticDim, type Value } from '../value.js';
import { add, mul } from './basic.js';

interface NormOptions {
  readonly epsilon: number;
  readonly change?: NormChange;
}

/** See `Graph.groupNorm`. */
export function groupNorm(
  n: Nodes,
  x: Value,
  w: Scope,
  { groups, epsilon, change = {} }: NormOptions & { readonly groups: number },
): Value {
  const channels = staticDim(x, 1);
  const grouped = n.cast(n.shapes.reshape(x, [x.dims[0], groups, -1]), 'float32');
  const ones = n.constant(new Array(groups).fill(1));
  const zeros = n.constant(new Array(groups).fill(0));
  const normalizedGroups = n.op('InstanceNormalization', [grouped, ones, zeros], grouped.dims, { epsilon });
  const normalized = n.shapes.reshape(n.cast(normalizedGroups), x.dims);
  const perChannel = [channels, ...x.dims.slice(2).map(() => 1)];
  const changed = (name: 'weight' | 'bias', added: Value | undefined) => {
    const value = n.weight({ ...w.tensor(name, [channels]), shape: perChannel });
    return added === undefined ? value : add(n, value, n.shapes.reshape(added, perChannel));
  };
  return add(n, mul(n, normalized, changed('weight', change.scale)), changed('bias', change.shift));
}

/** See `Graph.layerNormalization`. */
export function layerNormalization(
  n: Nodes,
  x: Value,
  [scale, shift]: readonly [TensorView, TensorView],
  { epsilon, change = {} }: NormOptions,
): Value {
  const inputs = [n.cast(x, 'float32'), precise(n, scale, change.scale), precise(n, shift, change.shift)];
  return n.cast(n.op('LayerNormalization', inputs, x.dims, { axis: -1n, epsilon }));
}

/** A weight in float32, plus a change. */
function precise(n: Nodes, view: TensorView, added: Value | undefined): Value {
  const value = n.weight(view, 'float32');
  return added === undefined ? value : add(n, value, n.cast(added, 'float32'));
}

/** Normalizes the last axis, with neither scale nor shift. */
export function standardized(n: Nodes, x: Value, epsilon: number): Value {
  const ones = n.constant(new Array(staticDim(x, -1)).fill(1));
  return n.cast(n.op('LayerNormalization', [n.cast(x, 'float32'), ones], x.dims, { axis: -1n, epsilon }));
}

/** x [..., size] over the root of its mean square, times a scale [size]. */
export function rmsNorm(n: Nodes, x: Value, scale: TensorView, { epsilon, change = {} }: NormOptions): Value {
  const inputs = [n.cast(x, 'float32'), precise(n, scale, change.scale)];
  // ONNX Runtime has this operator of its own in ONNX's domain; ONNX's RMSNormalization is of a later operator set.
  return n.cast(n.op('SimplifiedLayerNormalization', inputs, x.dims, { axis: -1n, epsilon }));
}
