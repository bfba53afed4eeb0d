import type { TensorView } from '@sd/weights';
import type { ConvOptions } from '../adapter.js';
import type { Nodes } from '../nodes.js';
import type { Dim, Value } from '../value.js';

/** x [..., in] times a matrix [out, in], plus a bias [out]: [..., out]. */
export function product(n: Nodes, x: Value, weight: TensorView, bias: TensorView | undefined): Value {
  const [out, width] = weight.shape;
  const rows = n.shapes.reshape(x, [-1, width]);
  const inputs = [rows, n.weight(weight)];
  if (bias !== undefined) inputs.push(n.weight(bias));
  const result = n.op('Gemm', inputs, [rows.dims[0], out], { transB: 1n });
  return n.shapes.reshape(result, [...x.dims.slice(0, -1), out]);
}

/** x [n, in, h, w] convolved with [out, in, k, k], plus a bias [out]: [n, out, h', w']. */
export function convolution(
  n: Nodes,
  x: Value,
  { kernel, stride, padding }: ConvOptions,
  weight: TensorView | Value,
  bias: TensorView | undefined,
): Value {
  const [batch, , height, width] = x.dims;
  const kernels = 'file' in weight ? n.weight(weight) : weight;
  const inputs = [x, kernels];
  if (bias !== undefined) inputs.push(n.weight(bias));
  const resized = (dim: Dim, added: number) =>
    typeof dim === 'number'
      ? Math.floor((dim + added - kernel) / stride) + 1
      : stride === 1 && added === kernel - 1
        ? dim
        : undefined;
  const sizes = [
    batch,
    kernels.dims[0],
    resized(height, padding[0] + padding[2]),
    resized(width, padding[1] + padding[3]),
  ];
  return n.sized('Conv', n.alike(inputs), sizes, {
    kernel_shape: [BigInt(kernel), BigInt(kernel)],
    strides: [BigInt(stride), BigInt(stride)],
    pads: padding.map(BigInt),
  });
}

/** Rows of a table by their numbers, as `Graph.embedding` has it. */
export function embedding(n: Nodes, ids: Value, table: TensorView): Value {
  const dims = [...ids.dims, table.shape[1]];
  if (n.provider === 'webgpu') return n.op('Gather', [n.weight(table), ids], dims);
  return n.cast(n.op('Gather', [n.stored(table), ids], dims));
}
