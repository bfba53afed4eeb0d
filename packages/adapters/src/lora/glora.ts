import type { Graph, Value } from '@sd/graph';
import type { TensorView } from '@sd/weights';
import { type Fit, ownRows, shaped, sizesOf, tensorIn, weighted } from './fit.js';
import { chain, lowRank, transposed } from './low-rank.js';

/**
 * GLoRA: `W + scale * (W A + B)`, where A is a product a1 a2 [in, in] of low rank, and B one, b1 b2, as in LoRA.
 * LyCORIS's first files have each pair the other way around: a2 a1, b2 b1.
 * @see arXiv 2306.07967; LyCORIS, modules/glora.py
 */
export function glora(g: Graph, fit: Fit): Value {
  const { layer, tensors } = fit;
  const { channels, kernel } = sizesOf(layer);
  const { left, right, up, down } = pairs(fit);
  const rank = right.shape[0] ?? 0;
  const scale = fit.scaled(rank);
  const core = tensors.get('bm');
  const mid = core && g.weight(shaped(fit, core, [rank, rank, ...kernel]));
  const low = lowRank(g, fit, scale, {
    down: g.weight(shaped(fit, down, [rank, channels, ...(mid === undefined ? kernel : kernel.map(() => 1))])),
    mid,
    up: g.weight(ownRows(fit, up, rank)),
  });
  const a = {
    left: g.weight(shaped(fit, left, [channels, rank])),
    right: g.weight(shaped(fit, right, [rank, channels])),
  };
  return g.add(low.output(), weighted(g, layer, changedInput(g, fit, scale, a)));
}

/** `scale * A x`. */
function changedInput(
  g: Graph,
  { layer: { input, conv } }: Fit,
  scale: Value,
  { left, right }: { left: Value; right: Value },
): Value {
  if (conv !== undefined) {
    const pointwise = { kernel: 1, stride: 1, padding: [0, 0, 0, 0] } as const;
    const down = g.reshape(right, [...right.dims, 1, 1]);
    return chain(g, input, pointwise, { down, up: left, scale });
  }
  const rank = left.dims[1];
  const h = g.op('MatMul', [input, transposed(g, right)], [...input.dims.slice(0, -1), rank]);
  return g.op('MatMul', [g.mul(h, scale), transposed(g, left)], input.dims);
}

interface Pairs {
  /** A = left right. */
  readonly left: TensorView;
  readonly right: TensorView;
  /** B = up down. */
  readonly up: TensorView;
  readonly down: TensorView;
}

function pairs(fit: Fit): Pairs {
  const [a1, a2, b1, b2] = (['a1', 'a2', 'b1', 'b2'] as const).map((slot) => tensorIn(fit, slot)) as [
    TensorView,
    TensorView,
    TensorView,
    TensorView,
  ];
  const rank = a2.shape[0];
  const isOrdered = a1.shape[1] === rank && b1.shape[1] === rank && b2.shape[0] === rank;
  return isOrdered ? { left: a1, right: a2, up: b1, down: b2 } : { left: a2, right: a1, up: b2, down: b1 };
}
