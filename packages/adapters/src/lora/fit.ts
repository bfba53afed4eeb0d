import { type CheckpointError, sizeOf } from '@sd/core';
import type { AdaptedLayer, Graph, Value } from '@sd/graph';
import { reshapeView, sliceView, type TensorView } from '@sd/weights';
import type { LoraModule } from './modules.js';
import type { Slot } from './names.js';

/** A module of an adapter and the layer that it changes. */
export interface Fit {
  readonly layer: AdaptedLayer;
  readonly tensors: LoraModule['tensors'];
  /** The strength that the user sets, [1]. */
  readonly strength: Value;
  /** Strength times alpha over rank, [1]. */
  scaled(rank: number): Value;
  /** The error for a tensor that does not fit the layer. */
  misfit(view: TensorView): CheckpointError;
}

/** A layer with its change: `(W + scale * D) x + b`, D being what the adapter holds. */
export interface Branch {
  /** In the shape of the layer's output. */
  readonly output: Value;
  /** Squares of the norms of the rows of `W + scale * D`, [out]. */
  squaredNorms(): Value;
}

/** A tensor that `readModules` has found to be there. */
export function tensorIn({ tensors }: Fit, slot: Slot): TensorView {
  return tensors.get(slot) as TensorView;
}

/** The sizes of a layer's matrix: a convolution's kernels count to its columns. */
export function sizesOf({ weight }: AdaptedLayer): {
  out: number;
  channels: number;
  kernel: readonly number[];
  columns: number;
} {
  const [out, channels, ...kernel] = weight.shape as [number, number, ...number[]];
  return { out, channels, kernel, columns: channels * sizeOf(kernel) };
}

/** A tensor under a shape of as many values, its first axis as it is; throws what the fit says if it has others. */
export function shaped(fit: Fit, view: TensorView, shape: readonly number[]): TensorView {
  if (view.shape[0] !== shape[0] || sizeOf(view.shape) !== sizeOf(shape)) throw fit.misfit(view);
  return reshapeView(view, shape);
}

/** Of a factor with a row for each output, [out, columns], the rows that the layer has. */
export function ownRows(fit: Fit, view: TensorView, columns: number): TensorView {
  const { rows } = fit.layer;
  const { out } = sizesOf(fit.layer);
  if (rows === undefined) return shaped(fit, view, [out, columns]);
  const all = shaped(fit, view, [view.shape[0] ?? 0, columns]);
  if (view.shape[0] < rows.end) throw fit.misfit(view);
  return sliceView(all, rows.start, rows.end);
}

/** The layer's output plus `h` [n, k] times a matrix [out, k], as one operation. */
export function plusProduct(g: Graph, { output, weight }: AdaptedLayer, h: Value, matrix: Value): Value {
  const rows = g.reshape(output, [-1, weight.shape[0]]);
  return g.reshape(g.op('Gemm', [h, matrix, rows], rows.dims, { transB: 1n }), output.dims);
}

/** x [n, k] times a matrix [m, k]: [n, m]. */
export function product(g: Graph, x: Value, matrix: Value): Value {
  return g.op('Gemm', [x, matrix], [x.dims[0], matrix.dims[0]], { transB: 1n });
}

/** Sums over the last axes, `count` of them. */
export function sumOver(g: Graph, x: Value, count = 1, operator: 'ReduceSum' | 'ReduceSumSquare' = 'ReduceSum'): Value {
  const axes = Array.from({ length: count }, (_, i) => x.dims.length - count + i);
  return g.op(operator, [x, g.indices(axes)], x.dims.slice(0, -count), { keepdims: 0n });
}

/** The layer's matrix [out, columns]. */
export function matrixOf(g: Graph, layer: AdaptedLayer): Value {
  const { out, columns } = sizesOf(layer);
  return g.weight(reshapeView(layer.weight, [out, columns]));
}

/** Squares of the norms of `W + scale * D`'s rows: `|W|^2 + scale * (2 <W, D> + scale * |D|^2)`, of constants [out]. */
export function normsOf(
  g: Graph,
  matrix: Value,
  scale: Value,
  { cross, square }: { cross: Value; square: Value },
): Value {
  const base = sumOver(g, matrix, 1, 'ReduceSumSquare');
  return g.add(base, g.mul(g.add(g.add(cross, cross), g.mul(square, scale)), scale));
}
