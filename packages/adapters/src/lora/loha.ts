import type { Graph, Value } from '@sd/graph';
import { reshapeView, type TensorView } from '@sd/weights';
import { type Branch, type Fit, matrixOf, ownRows, plusProduct, shaped, sizesOf, sumOver, tensorIn } from './fit.js';
import { lowRank, transposed, tucker } from './low-rank.js';
import type { Slot } from './names.js';

/**
 * LoHa: the product, value by value, of two matrices of low rank, `(w1a w1b) * (w2a w2b)`. It is of rank r * r itself, with
 * the row-wise products of the factors for factors: where those are smaller than the layer, they are what is used, and the
 * runtime makes them when it loads. Else the whole difference is computed in each run, a small part of what the layer takes
 * for its many rows, since kept it would be as large as the model.
 * @see arXiv 2108.06098, FedPara; arXiv 2309.14859, LyCORIS; the Tucker form (proposition 3 of FedPara) with `hada_t1`, `hada_t2`
 */
export function loha(g: Graph, fit: Fit): Branch {
  const { tensors, layer } = fit;
  const { out, columns } = sizesOf(layer);
  const rank = tensorIn(fit, 'hada_w1_b').shape[0] ?? 0;
  const scale = fit.scaled(rank);
  const slot = (name: Slot) => tensorIn(fit, name);
  if (tensors.has('hada_t1')) {
    const half = (which: 'w1' | 'w2', core: 'hada_t1' | 'hada_t2', factor: Value) =>
      tuckerHalf(g, fit, { core: slot(core), a: slot(`hada_${which}_a`), b: slot(`hada_${which}_b`), factor });
    return dense(g, fit, g.mul(half('w1', 'hada_t1', scale), half('w2', 'hada_t2', runtimeOne(g, fit))));
  }
  const factors = (which: 'w1' | 'w2') => {
    const b = slot(`hada_${which}_b`);
    return { a: ownRows(fit, slot(`hada_${which}_a`), b.shape[0]), b: shaped(fit, b, [b.shape[0], columns]) };
  };
  const [w1, w2] = [factors('w1'), factors('w2')];
  const ranks = rank * w2.b.shape[0];
  if (ranks * (out + columns) < out * columns) {
    const [r1, r2] = [rank, w2.b.shape[0]];
    const weight = (view: TensorView, ...dims: number[]) => g.weight(reshapeView(view, dims));
    const up = broadcast(g, weight(w1.a, out, r1, 1), weight(w2.a, out, 1, r2));
    const down = broadcast(g, weight(w1.b, r1, 1, columns), weight(w2.b, 1, r2, columns));
    return lowRank(g, fit, scale, {
      up: g.reshape(up, [out, ranks]),
      down: g.reshape(down, [ranks, ...layer.weight.shape.slice(1)]),
    });
  }
  const whole = ({ a, b }: typeof w1, factor: Value) =>
    g.op('MatMul', [g.mul(g.weight(a), factor), g.weight(b)], [out, columns]);
  return dense(g, fit, g.mul(whole(w1, scale), whole(w2, runtimeOne(g, fit))));
}

/** A change as large as the layer's matrix [out, columns], computed in each run. */
function dense(g: Graph, { layer }: Fit, difference: Value): Branch {
  const { columns } = sizesOf(layer);
  const { conv, input, output, weight } = layer;
  return {
    output: () =>
      conv === undefined
        ? plusProduct(g, layer, g.reshape(input, [-1, columns]), difference)
        : g.add(output, g.convolution(input, conv, g.reshape(difference, weight.shape))),
    difference: () => difference,
    squaredNorms: () => sumOver(g, g.add(matrixOf(g, layer), difference), 1, 'ReduceSumSquare'),
  };
}

function tuckerHalf(
  g: Graph,
  fit: Fit,
  { core, a, b, factor }: { core: TensorView; a: TensorView; b: TensorView; factor: Value },
): Value {
  const { out, channels, kernel, columns } = sizesOf(fit.layer);
  const [rows, inner] = [a.shape[0] ?? 0, b.shape[0] ?? 0];
  const kernels = tucker(
    g,
    g.weight(shaped(fit, core, [rows, inner, ...kernel])),
    g.weight(shaped(fit, b, [inner, channels])),
  );
  const left = g.mul(transposed(g, g.weight(shaped(fit, a, [rows, out]))), factor);
  return g.op('MatMul', [left, g.reshape(kernels, [rows, columns])], [out, columns]);
}

/** A 1 that is not constant: the runtime would compute and keep whatever depends on constants alone. */
function runtimeOne(g: Graph, { strength }: Fit): Value {
  return g.op('Pow', [strength, g.constant([0])], [1]);
}

function broadcast(g: Graph, a: Value, b: Value): Value {
  const dims = a.dims.map((dim, i) => Math.max(dim as number, b.dims[i] as number));
  return g.op('Mul', [a, b], dims);
}
