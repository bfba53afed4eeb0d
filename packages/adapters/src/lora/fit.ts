import { type CheckpointError, sizeOf } from '@sd/core';
import type { AdaptedLayer, Graph, Value } from '@sd/graph';
import { reshapeView, sliceView, type TensorView } from '@sd/weights';
import type { Compute } from './derived.js';
import type { LoraModule } from './modules.js';
import type { Slot } from './names.js';

/** A module of an adapter where it meets a part of a model. */
export interface Place {
  readonly tensors: LoraModule['tensors'];
  /** The strength that the user sets, [1]. */
  readonly strength: Value;
  /** Strength times alpha over rank, [1]; without a rank, where all factors are whole, the strength. */
  scaled(rank: number | undefined): Value;
  /** Creates the error for a tensor that does not fit. */
  misfit(view: TensorView): CheckpointError;
}

/** A module and the layer that it changes. */
export interface Fit extends Place {
  readonly layer: AdaptedLayer;
  /** A float32 tensor that is computed from others of the file when a graph is loaded. */
  derived(shape: readonly number[], from: readonly TensorView[], compute: Compute): TensorView;
}

/** A layer with its change: `(W + scale * D) x + b`, D being what the adapter holds. Each member writes its own nodes. */
export interface Branch {
  /** In the shape of the layer's output. */
  output(): Value;
  /** Squares of the norms of the rows of `W + scale * D`, [out]. */
  squaredNorms(): Value;
  /** `scale * D` [out, columns], computed in each run: kept, it would be as large as the model. */
  difference(): Value;
}

/** Writes a module's change of low rank into a graph. */
export type BranchWriter = (g: Graph, fit: Fit) => Branch;

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

/** From `start` (inclusive) to `end` (exclusive) of an axis. */
export function sliced(g: Graph, x: Value, axis: number, { start, end }: { start: number; end: number }): Value {
  const inputs = [x, g.indices([start]), g.indices([end]), g.indices([axis])];
  return g.op('Slice', inputs, x.dims.with(axis, end - start));
}

/** Sums over the last axes, `count` of them. */
export function sumOver(g: Graph, x: Value, count = 1, operator: 'ReduceSum' | 'ReduceSumSquare' = 'ReduceSum'): Value {
  const axes = Array.from({ length: count }, (_, i) => x.dims.length - count + i);
  return g.op(operator, [x, g.indices(axes)], x.dims.slice(0, -count), { keepdims: 0n });
}

/** Values [out] for each channel of a layer's output, in a shape that broadcasts to it. */
export function perChannel(g: Graph, { conv }: AdaptedLayer, values: Value): Value {
  return conv === undefined ? values : g.reshape(values, [...values.dims, 1, 1]);
}

/** Rows of the module that a layer is, or is a part of. */
export function moduleRows({ rows, weight }: AdaptedLayer): number {
  return (rows?.module.weight ?? weight).shape[0];
}

/** A layer's output without its bias and before any hook. */
export function withoutBias(g: Graph, layer: AdaptedLayer): Value {
  const { plain, bias } = layer;
  return bias === undefined ? plain : g.op('Sub', [plain, perChannel(g, layer, g.weight(bias))], plain.dims);
}

/** A layer's weight times x in the shape of its input, without the bias. */
export function weighted(g: Graph, { conv, weight }: AdaptedLayer, x: Value): Value {
  return conv === undefined ? g.matmul(x, weight) : g.convolution(x, conv, weight);
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
