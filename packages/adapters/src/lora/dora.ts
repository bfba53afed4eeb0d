import { sizeOf } from '@sd/core';
import type { Graph, Value } from '@sd/graph';
import { reshapeView, type TensorView } from '@sd/weights';
import { type BranchWriter, type Fit, matrixOf, ownRows, perChannel, sizesOf, sumOver, weighted } from './fit.js';

/** What LyCORIS and ComfyUI add to the norm of an input, which may be 0: float32's epsilon. */
const epsilon = 2 ** -23;

/**
 * DoRA: each row of the changed matrix `V = W + scale * D` is brought to its magnitude m, `m / |V| * V x + b`, or each
 * column, `V (m / |V| * x) + b`; the shape of the magnitudes decides. As in PEFT, the strength applies inside
 * the norm too. At 0 the layer is unchanged, like an inactive adapter in PEFT. Without magnitudes, `V x + b`.
 * @see arXiv 2402.09353; peft/tuners/lora/dora.py; for columns LyCORIS, `wd_on_output=False`, which was once its default
 */
export function dora(g: Graph, fit: Fit, write: BranchWriter): Value {
  const found = magnitudesOf(fit);
  if (found === undefined) return write(g, fit).output();
  return found.of === 'outputs'
    ? withOutputsScaled(g, fit, write, found.magnitudes)
    : withInputsScaled(g, fit, write, found.magnitudes);
}

function withOutputsScaled(g: Graph, fit: Fit, write: BranchWriter, magnitudes: TensorView): Value {
  const { layer } = fit;
  const branch = write(g, fit);
  const m = g.weight(reshapeView(ownRows(fit, magnitudes, 1), [sizesOf(layer).out]));
  const factor = whereOn(g, fit, g.op('Div', [m, g.op('Sqrt', [branch.squaredNorms()], m.dims)], m.dims));
  const output = g.mul(branch.output(), perChannel(g, layer, factor));
  if (layer.bias === undefined) return output;
  const rest = g.op('Sub', [g.constant([1]), factor], m.dims);
  return g.add(output, perChannel(g, layer, g.mul(rest, g.weight(layer.bias))));
}

function withInputsScaled(g: Graph, fit: Fit, write: BranchWriter, magnitudes: TensorView): Value {
  const { layer } = fit;
  const { channels } = sizesOf(layer);
  const m = g.weight(reshapeView(magnitudes, [channels]));
  const all = wholeModule(fit);
  const { out, kernel } = sizesOf(all.layer);
  const changed = g.add(matrixOf(g, all.layer), write(g, all).difference());
  const byColumn = g.transpose(g.reshape(changed, [out, channels, sizeOf(kernel)]), [1, 0, 2]);
  const norm = g.op('Sqrt', [sumOver(g, byColumn, 2, 'ReduceSumSquare')], m.dims);
  const factor = whereOn(g, fit, g.op('Div', [m, g.add(norm, g.constant([epsilon]))], m.dims));
  const scaled = (factors: Value) => g.mul(layer.input, perChannel(g, layer, factors));
  const rest = weighted(g, layer, scaled(g.op('Sub', [factor, g.constant([1])], m.dims)));
  const output = g.add(layer.output, rest);
  return write(g, { ...fit, layer: { ...layer, input: scaled(factor), output } }).output();
}

/** The factors, or 1 at strength 0. */
function whereOn(g: Graph, { strength }: Fit, factors: Value): Value {
  const off = g.op('Equal', [strength, g.constant([0])], [1]);
  return g.op('Where', [off, g.constant([1]), factors], factors.dims);
}

/** The change of the whole module that the layer is a part of. */
function wholeModule(fit: Fit): Fit {
  const { rows, ...layer } = fit.layer;
  return rows === undefined ? fit : { ...fit, layer: { ...layer, ...rows.module } };
}

interface Magnitudes {
  readonly of: 'outputs' | 'inputs';
  /** [count] */
  readonly magnitudes: TensorView;
}

/** A layer's magnitudes: [out], [out, 1], [out, 1, 1, 1], [1, in], [1, in, 1, 1], and PEFT's [1, out, 1, 1]. */
function magnitudesOf(fit: Fit): Magnitudes | undefined {
  const lycoris = fit.tensors.get('dora_scale');
  const view = lycoris ?? fit.tensors.get('magnitude');
  if (view === undefined) return undefined;
  const { weight } = wholeModule(fit).layer;
  const [out, channels] = weight.shape;
  const count = sizeOf(view.shape);
  if (!view.shape.includes(count)) throw fit.misfit(view);
  const inputsFirst = lycoris !== undefined && view.shape[0] !== count;
  const fits = { outputs: count === out, inputs: lycoris !== undefined && count === channels };
  const of = (inputsFirst ? (['inputs', 'outputs'] as const) : (['outputs', 'inputs'] as const)).find(
    (axis) => fits[axis],
  );
  if (of === undefined) throw fit.misfit(view);
  return { of, magnitudes: reshapeView(view, [count]) };
}
