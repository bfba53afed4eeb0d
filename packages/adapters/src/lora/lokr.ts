import type { Graph, Value } from '@sd/graph';
import { sliceView, type TensorView } from '@sd/weights';
import {
  type Branch,
  type Fit,
  matrixOf,
  normsOf,
  product,
  shaped,
  sizesOf,
  sliced,
  sumOver,
  tensorIn,
} from './fit.js';
import { chain, type Factors, transposed, tucker } from './low-rank.js';

/** The second factor [out, in] or [out, in, k, k]: whole, or of low rank. */
type Inner = { readonly out: number; readonly channels: number } & (
  | { readonly whole: Value; readonly factors?: undefined }
  | { readonly whole?: undefined; readonly factors: Factors }
);

/**
 * LoKr: the Kronecker product of two small matrices, either of them perhaps of low rank. It is never made: x is read as a
 * matrix X, and `(w1 (x) w2) x = w1 X w2'`.
 * @see arXiv 2309.14859, LyCORIS
 */
export function lokr(g: Graph, fit: Fit): Branch {
  const { layer, tensors } = fit;
  const sizes = sizesOf(layer);
  const [a, b] = outerViews(fit);
  const [outer, columns] = [a.shape[0], (b ?? a).shape[1]];
  if (sizes.channels % columns !== 0) throw fit.misfit(b ?? a);
  const inner = innerFactor(g, fit, sizes.channels / columns);
  const rows = layer.rows ?? { start: 0, end: sizes.out };
  if (layer.rows === undefined ? rows.end !== outer * inner.out : rows.end > outer * inner.out) throw fit.misfit(a);

  const whole = rows.start % inner.out === 0 && rows.end % inner.out === 0;
  const [first, last] = whole ? [rows.start / inner.out, rows.end / inner.out] : [0, outer];
  const outerRows = g.weight(first === 0 && last === outer ? a : sliceView(a, first, last));
  const left = b === undefined ? outerRows : g.op('MatMul', [outerRows, g.weight(b)], [last - first, columns]);
  const rank = (tensors.get('lokr_w2_b') ?? b)?.shape[0];
  const scale = fit.scaled(rank);
  const cut = (blocks: Value, axis: number) => (whole ? blocks : sliced(g, blocks, axis, rows));
  const difference = () => cut(kronecker(g, g.mul(left, scale), wholeOf(g, inner)), 0);
  return {
    output() {
      const change = cut(applied(g, fit, g.mul(left, scale), inner), 1);
      return g.add(layer.output, g.reshape(change, layer.output.dims));
    },
    difference,
    squaredNorms: () =>
      whole
        ? norms(g, fit, { left, inner: wholeOf(g, inner), scale })
        : sumOver(g, g.add(matrixOf(g, layer), difference()), 1, 'ReduceSumSquare'),
  };
}

/** The Kronecker product of matrices [a, c] and [b, d]: [a * b, c * d]. */
function kronecker(g: Graph, left: Value, right: Value): Value {
  const [a, c] = left.dims as [number, number];
  const [b, d] = right.dims as [number, number];
  const product = g.op('Mul', [g.reshape(left, [a, 1, c, 1]), g.reshape(right, [b, 1, d])], [a, b, c, d]);
  return g.reshape(product, [a * b, c * d]);
}

/** The first factor, or the two that it is the product of. */
function outerViews(fit: Fit): [TensorView, TensorView?] {
  const w1 = fit.tensors.get('lokr_w1');
  const matrix = (view: TensorView, [rows = 0, columns = 0] = view.shape) => shaped(fit, view, [rows, columns]);
  if (w1 !== undefined) return [matrix(w1)];
  const [a, b] = [tensorIn(fit, 'lokr_w1_a'), tensorIn(fit, 'lokr_w1_b')];
  return [matrix(a, [a.shape[0], b.shape[0]]), matrix(b)];
}

function innerFactor(g: Graph, fit: Fit, channels: number): Inner {
  const { tensors } = fit;
  const { kernel } = sizesOf(fit.layer);
  const [w2, core] = [tensors.get('lokr_w2'), tensors.get('lokr_t2')];
  if (w2 !== undefined) {
    const out = w2.shape[0] ?? 0;
    return { out, channels, whole: g.weight(shaped(fit, w2, [out, channels, ...kernel])) };
  }
  const [a, b] = [tensorIn(fit, 'lokr_w2_a'), tensorIn(fit, 'lokr_w2_b')];
  const rank = b.shape[0] ?? 0;
  if (core === undefined) {
    const out = a.shape[0] ?? 0;
    const down = g.weight(shaped(fit, b, [rank, channels, ...kernel]));
    return { out, channels, factors: { down, up: g.weight(shaped(fit, a, [out, rank])) } };
  }
  const [rows = 0, out = 0] = a.shape;
  const factors = {
    down: g.weight(shaped(fit, b, [rank, channels, ...kernel.map(() => 1)])),
    mid: g.weight(shaped(fit, core, [rows, rank, ...kernel])),
    up: transposed(g, g.weight(shaped(fit, a, [rows, out]))),
  };
  return { out, channels, factors };
}

/** The Kronecker product times the layer's input: [n, blocks, out of a block, ...]. */
function applied(g: Graph, { layer }: Fit, left: Value, { out, channels, whole, factors }: Inner): Value {
  const [blocks, columns] = left.dims as [number, number];
  const { conv, input } = layer;
  if (conv === undefined) {
    const rows = g.reshape(input, [-1, channels]);
    const right =
      factors === undefined ? product(g, rows, whole) : product(g, product(g, rows, factors.down), factors.up);
    const groups = g.reshape(right, [-1, columns, out]);
    const result = g.op('MatMul', [left, groups], [groups.dims[0], blocks, out]);
    return g.reshape(result, [groups.dims[0], blocks * out]);
  }
  const groups = g.reshape(input, [-1, channels, ...input.dims.slice(2)]);
  const right = factors === undefined ? g.convolution(groups, conv, whole) : chain(g, groups, conv, factors);
  const maps = g.reshape(right, [input.dims[0], columns, -1]);
  return g.op('MatMul', [left, maps], [input.dims[0], blocks, maps.dims[2]]);
}

function wholeOf(g: Graph, { out, whole, factors }: Inner): Value {
  if (whole !== undefined) return g.reshape(whole, [out, -1]);
  const { down, mid, up } = factors;
  const right = g.reshape(mid === undefined ? down : tucker(g, mid, down), [down.dims[0], -1]);
  return g.op('MatMul', [up, right], [out, right.dims[1]]);
}

function norms(g: Graph, { layer }: Fit, { left, inner, scale }: { left: Value; inner: Value; scale: Value }): Value {
  const matrix = matrixOf(g, layer);
  const [blocks, columns] = left.dims as [number, number];
  const [out, width] = inner.dims as [number, number];
  const parts = g.reshape(matrix, [blocks, out, columns, width]);
  const mixed = g.op('MatMul', [g.reshape(left, [blocks, 1, 1, columns]), parts], [blocks, out, 1, width]);
  const cross = sumOver(g, g.mul(mixed, g.reshape(inner, [out, 1, width])), 2);
  const [a, b] = [left, inner].map((factor) => sumOver(g, factor, 1, 'ReduceSumSquare')) as [Value, Value];
  const square = g.op('Mul', [g.reshape(a, [blocks, 1]), b], [blocks, out]);
  const flat = (value: Value) => g.reshape(value, [blocks * out]);
  return normsOf(g, matrix, scale, { cross: flat(cross), square: flat(square) });
}
