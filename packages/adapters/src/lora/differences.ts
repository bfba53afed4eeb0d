import type { AdaptedNorm, AdaptedTable, Graph, NormChange, Value } from '@sd/graph';
import { reshapeView, type TensorView } from '@sd/weights';
import { type Fit, ownRows, type Place, perChannel, plusProduct, sizesOf } from './fit.js';
import type { LoraModule } from './modules.js';
import type { Slot } from './names.js';

type Tensors = LoraModule['tensors'];

/** Adds a layer's whole differences, `diff` of its weight and `diff_b` of its bias, times the strength. */
export function plusDifferences(g: Graph, fit: Fit): Value {
  const { layer, tensors, strength } = fit;
  const ofNorm = tensors.get('w_norm') ?? tensors.get('b_norm');
  if (ofNorm !== undefined) throw fit.misfit(ofNorm);
  const [weight, bias] = [tensors.get('diff'), tensors.get('diff_b')];
  let output = layer.output;
  if (weight !== undefined) output = plusWeight(g, fit, weight);
  return bias === undefined ? output : g.add(output, perChannel(g, layer, g.mul(biasOf(g, fit, bias), strength)));
}

function plusWeight(g: Graph, fit: Fit, difference: TensorView): Value {
  const { layer, strength } = fit;
  const { out, columns } = sizesOf(layer);
  const layerRows = ownRows(fit, difference, columns);
  const x = g.mul(layer.input, strength);
  if (layer.conv === undefined)
    return plusProduct(g, layer, g.reshape(x, [-1, columns]), g.weight(reshapeView(layerRows, [out, columns])));
  return g.add(layer.output, g.convolution(x, layer.conv, reshapeView(layerRows, layer.weight.shape)));
}

/** Values for each of a layer's outputs: [out]. */
export function biasOf(g: Graph, fit: Fit, view: TensorView): Value {
  return g.weight(reshapeView(ownRows(fit, view, 1), [sizesOf(fit.layer).out]));
}

/** The changes of a normalization: LyCORIS's `w_norm` and `b_norm`, ComfyUI's `diff` and `diff_b`. */
export function normChange(g: Graph, { tensors, strength, misfit }: Place, { size }: AdaptedNorm): NormChange {
  expectSlots(tensors, ['w_norm', 'b_norm', 'diff', 'diff_b', 'alpha'], misfit);
  const change = (...slots: readonly Slot[]) => {
    const [view] = slots.flatMap((slot) => tensors.get(slot) ?? []);
    if (view === undefined) return undefined;
    return g.mul(g.weight(vector(view, size, misfit)), strength);
  };
  const [scale, shift] = [change('w_norm', 'diff'), change('b_norm', 'diff_b')];
  return { ...(scale && { scale }), ...(shift && { shift }) };
}

/** Adds the changes of rows that were looked up in a table: a product of low rank, or a whole difference. */
export function changedRows(g: Graph, place: Place, { table, ids, output }: AdaptedTable): Value {
  const { tensors, strength, misfit } = place;
  expectSlots(tensors, ['down', 'up', 'alpha', 'diff'], misfit);
  const [count, width] = table.shape as [number, number];
  const lookUp = (view: TensorView, columns: number) => {
    if (view.shape[0] !== count) throw misfit(view);
    return g.op('Gather', [g.weight(view), ids], [...ids.dims, columns]);
  };
  const [down, up, diff] = [tensors.get('down'), tensors.get('up'), tensors.get('diff')];
  let rows = output;
  if (down !== undefined && up !== undefined) {
    const rank = down.shape[0] ?? 0;
    if (down.shape.length !== 2 || down.shape[1] !== width) throw misfit(down);
    if (up.shape.length !== 2 || up.shape[1] !== rank) throw misfit(up);
    const h = g.mul(lookUp(up, rank), place.scaled(rank));
    rows = g.add(rows, g.op('MatMul', [h, g.weight(down)], output.dims));
  }
  if (diff === undefined) return rows;
  if (diff.shape.length !== 2 || diff.shape[1] !== width) throw misfit(diff);
  return g.add(rows, g.mul(lookUp(diff, width), strength));
}

function vector(view: TensorView, size: number, misfit: Place['misfit']): TensorView {
  const count = view.shape.reduce((product, n) => product * n, 1);
  if (count !== size) throw misfit(view);
  return reshapeView(view, [size]);
}

function expectSlots(tensors: Tensors, slots: readonly Slot[], misfit: Place['misfit']): void {
  for (const [slot, view] of tensors) if (!slots.includes(slot)) throw misfit(view);
}
