import { sizeOf, UnsupportedError } from '@sd/core';
import type { Graph, Value } from '@sd/graph';
import { reshapeView, type TensorView } from '@sd/weights';
import { type Branch, type Fit, ownRows } from './fit.js';

/**
 * DoRA: each row of the changed matrix is brought to its magnitude m, `m / |W + scale * D| * (W + scale * D) x + b`,
 * with PEFT's numbers: the strength counts inside the norm too. At 0 the layer is as it was, like an adapter that PEFT has
 * not active.
 * @see arXiv 2402.09353; peft/tuners/lora/dora.py
 */
export function dora(g: Graph, fit: Fit, branch: Branch): Value {
  const magnitude = magnitudeOf(fit);
  if (magnitude === undefined) return branch.output;
  const { layer, strength } = fit;
  const { bias } = layer;
  const m = g.weight(reshapeView(magnitude, [magnitude.shape[0]]));
  const norm = g.op('Sqrt', [branch.squaredNorms()], m.dims);
  const off = g.op('Equal', [strength, g.constant([0])], [1]);
  const factor = g.op('Where', [off, g.constant([1]), g.op('Div', [m, norm], m.dims)], m.dims);
  const perChannel = (value: Value) => (layer.conv === undefined ? value : g.reshape(value, [...value.dims, 1, 1]));
  const output = g.mul(branch.output, perChannel(factor));
  if (bias === undefined) return output;
  const rest = g.op('Sub', [g.constant([1]), factor], m.dims);
  return g.add(output, perChannel(g.mul(rest, g.weight(bias))));
}

function magnitudeOf(fit: Fit): TensorView | undefined {
  const { tensors } = fit;
  const lycoris = tensors.get('dora_scale');
  if (lycoris !== undefined && lycoris.shape[0] === 1 && sizeOf(lycoris.shape) > 1) {
    throw new UnsupportedError(
      `${lycoris.file.location}: ${lycoris.name} has a magnitude for each input; only those for each output are read.`,
    );
  }
  const view = lycoris ?? tensors.get('magnitude');
  return view && ownRows(fit, reshapeView(view, [sizeOf(view.shape)]), 1);
}
