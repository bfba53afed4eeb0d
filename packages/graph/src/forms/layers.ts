import type { TensorView } from '@sd/weights';
import type { ConvOptions } from '../layer-hook.js';
import type { Nodes } from '../nodes.js';
import type { Dim, Value } from '../value.js';

/** See `Graph.matmul`. */
export function matmul(n: Nodes, x: Value, weight: TensorView, bias: TensorView | undefined): Value {
  const [out, width] = weight.shape;
  const rows = n.shapes.reshape(x, [-1, width]);
  const inputs = [rows, n.weight(weight)];
  if (bias !== undefined) inputs.push(n.weight(bias));
  const result = n.op('Gemm', inputs, [rows.dims[0], out], { transB: 1n });
  return n.shapes.reshape(result, [...x.dims.slice(0, -1), out]);
}

/** See `Graph.convolution`. */
export function convolution(
  n: Nodes,
  x: Value,
  { kernel, stride, padding }: ConvOptions,
  weight: TensorView | Value,
  bias: TensorView | undefined,
): Value {
  const [batch, , height, width] = x.dims;
  const filters = 'file' in weight ? n.weight(weight) : weight;
  const inputs = [x, filters];
  if (bias !== undefined) inputs.push(n.weight(bias));
  const resized = (dim: Dim, added: number) =>
    typeof dim === 'number'
      ? Math.floor((dim + added - kernel) / stride) + 1
      : stride === 1 && added === kernel - 1
        ? dim
        : undefined;
  const sizes = [
    batch,
    filters.dims[0],
    resized(height, padding[0] + padding[2]),
    resized(width, padding[1] + padding[3]),
  ];
  return n.sized('Conv', n.promoted(inputs), sizes, {
    kernel_shape: [BigInt(kernel), BigInt(kernel)],
    strides: [BigInt(stride), BigInt(stride)],
    pads: padding.map(BigInt),
  });
}

/** See `Graph.embedding`. */
export function embedding(n: Nodes, ids: Value, table: TensorView): Value {
  const dims = [...ids.dims, table.shape[1]];
  if (n.provider === 'webgpu') return n.op('Gather', [n.weight(table), ids], dims);
  return n.cast(n.op('Gather', [heldTable(n, table), ids], dims));
}

/**
 * A table copied to memory. ONNX Runtime would read a large one from the mapped file at every run, and where that file
 * is cut or replaced in the meantime, the system ends the process. It computes a join of one constant once, while loading.
 */
function heldTable(n: Nodes, table: TensorView): Value {
  const stored = n.stored(table);
  return n.provider === 'cpu' ? n.op('Concat', [stored], stored.dims, { axis: 0n }) : stored;
}
