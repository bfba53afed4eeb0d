import { sizeOf } from '@sd/core';
import type { Graph, Value } from '@sd/graph';
import { reshapeView } from '@sd/weights';
import { type Fit, moduleRows, ownRows, perChannel, sizesOf, tensorIn, weighted, withoutBias } from './fit.js';

/**
 * IA3: each output of a layer before its bias, or each input, times `1 + strength * factor`. `on_input` (0 or 1) decides;
 * the graph reads it as a number, only where the layer has as many inputs as outputs.
 * @see arXiv 2205.05638; LyCORIS, modules/ia3.py
 */
export function ia3(g: Graph, fit: Fit): Value {
  const { layer, strength } = fit;
  const { channels } = sizesOf(layer);
  const view = tensorIn(fit, 'scale');
  const out = moduleRows(layer);
  const count = sizeOf(view.shape);
  if (count !== channels && count !== out) throw fit.misfit(view);
  const onInput = g.weight(reshapeView(tensorIn(fit, 'on_input'), [1]));
  const share = (of: Value) => (channels === out ? g.mul(strength, of) : strength);
  let output = layer.output;
  if (count === channels) {
    const factors = g.mul(g.weight(reshapeView(view, [channels])), share(onInput));
    output = g.add(output, weighted(g, layer, g.mul(layer.input, perChannel(g, layer, factors))));
  }
  if (count === out) {
    const onOutput = g.op('Sub', [g.constant([1]), onInput], [1]);
    const layerRows = ownRows(fit, reshapeView(view, [out]), 1);
    const factors = g.mul(g.weight(reshapeView(layerRows, [sizesOf(layer).out])), share(onOutput));
    output = g.add(output, g.mul(withoutBias(g, layer), perChannel(g, layer, factors)));
  }
  return output;
}
