import { sizeOf } from '@sd/core';
import type { ConvOptions, Graph, Value } from '@sd/graph';
import {
  type Branch,
  type Fit,
  matrixOf,
  normsOf,
  ownRows,
  plusProduct,
  product,
  shaped,
  sizesOf,
  sumOver,
  tensorIn,
} from './fit.js';

/** A change of low rank: `up (down x)`, of a convolution `up (mid * (down * x))` with small kernels for up and down. */
export interface Factors {
  /** [rank, columns of what it reads], or [rank, in, k, k]. */
  readonly down: Value;
  /** [rank, rank, k, k]: the kernel, where `down` has none. */
  readonly mid?: Value;
  /** [out, rank]. */
  readonly up: Value;
}

const pointwise: ConvOptions = { kernel: 1, stride: 1, padding: [0, 0, 0, 0] };

/**
 * LoRA, and LoCon for convolutions: two small products.
 * @see arXiv 2106.09685; LyCORIS, arXiv 2309.14859, for convolutions and the Tucker form with `lora_mid`
 */
export function lora(g: Graph, fit: Fit): Branch {
  const [down, up, mid] = [tensorIn(fit, 'down'), tensorIn(fit, 'up'), fit.tensors.get('mid')];
  const { channels, kernel } = sizesOf(fit.layer);
  const rank = down.shape[0] ?? 0;
  const middle = mid && shaped(fit, mid, [rank, rank, ...kernel]);
  return lowRank(g, fit, fit.scaled(rank), {
    down: g.weight(shaped(fit, down, [rank, channels, ...(mid === undefined ? kernel : kernel.map(() => 1))])),
    mid: middle && g.weight(middle),
    up: g.weight(ownRows(fit, up, rank)),
  });
}

/** A change of low rank, added to what the layer gives. */
export function lowRank(g: Graph, { layer }: Fit, scale: Value, factors: Factors): Branch {
  const { down, up, mid } = factors;
  const [out, rank] = up.dims as number[];
  const rows = () => g.reshape(mid === undefined ? down : tucker(g, mid, down), [rank!, -1]);
  return {
    output: () => (layer.conv === undefined ? linear() : convolution(layer.conv)),
    difference: () => g.op('MatMul', [g.mul(up, scale), rows()], [out!, sizesOf(layer).columns]),
    squaredNorms() {
      const matrix = matrixOf(g, layer);
      const a = rows();
      const cross = sumOver(g, g.mul(product(g, matrix, a), up));
      // B A A' B' by rows, without B A itself, which is as large as the layer.
      const square = g.op('MatMul', [up, product(g, a, a)], [out!, rank!]);
      return normsOf(g, matrix, scale, { cross, square: sumOver(g, g.mul(square, up)) });
    },
  };

  function linear(): Value {
    const rows = g.reshape(layer.input, [-1, down.dims[1]]);
    return plusProduct(g, layer, g.mul(product(g, rows, down), scale), up);
  }

  function convolution(conv: ConvOptions): Value {
    return g.add(layer.output, chain(g, layer.input, conv, { ...factors, scale }));
  }
}

/** Convolutions one after the other, scaled in between, where there is least. */
export function chain(
  g: Graph,
  x: Value,
  conv: ConvOptions,
  { down, mid, up, scale }: Factors & { readonly scale?: Value },
): Value {
  let h = g.convolution(x, mid === undefined ? conv : pointwise, down);
  if (mid !== undefined) h = g.convolution(h, conv, mid);
  if (scale !== undefined) h = g.mul(h, scale);
  return g.convolution(h, pointwise, g.reshape(up, [...up.dims, 1, 1]));
}

/** A Tucker core [r, s, k, k] and the factor of its second axis [s, in], as kernels [r, in, k * k]. */
export function tucker(g: Graph, core: Value, factor: Value): Value {
  const [rank, inner, ...kernel] = core.dims as number[];
  const channels = factor.dims[1];
  const flat = g.reshape(core, [rank!, inner!, sizeOf(kernel)]);
  const columns = transposed(g, g.reshape(factor, [inner!, channels]));
  return g.op('MatMul', [columns, flat], [rank!, channels, sizeOf(kernel)]);
}

export function transposed(g: Graph, matrix: Value): Value {
  return g.op('Transpose', [matrix], matrix.dims.toReversed(), { perm: [1n, 0n] });
}
