import { sizeOf } from '@sd/core';
import type { Graph, Value } from '@sd/graph';
import { reshapeView, sliceView, type TensorView } from '@sd/weights';
import { type Fit, moduleRows, sizesOf, sliced, tensorIn, withoutBias } from './fit.js';
import { cayley } from './rotations.js';

/**
 * OFT: the rows of a layer's matrix are rotated in blocks, `W' = R' W`, which is a product with the layer's output before
 * its bias. BOFT: several such products, before each of which the rows are shuffled so that all of them meet. A strength
 * interpolates each product from the identity, and the factors in `rescale` from 1.
 *
 * LyCORIS counts `rescale` in full at every strength; here strength 0 leaves the layer unchanged.
 * @see arXiv 2306.07280, 2311.06243; LyCORIS, functional/diag_oft.py and boft.py
 */
export function orthogonal(g: Graph, fit: Fit): Value {
  const { layer, strength } = fit;
  const stages = stagesOf(fit);
  const region = regionOf(fit, stages);
  const start = columns(g, layer.conv === undefined, beforeBias(g, fit, region));
  let x = start;
  for (const { view, stride } of stages) {
    const [, size] = view.shape;
    const blocks = sliceView(view, region.start / size, region.end / size);
    x = g.add(x, g.mul(product(g, x, blocks, stride), strength));
  }
  const rescale = fit.tensors.get('rescale');
  if (rescale !== undefined) x = g.mul(x, rescaling(g, fit, rescale, region));
  const change = fromColumns(g, layer.conv === undefined, g.op('Sub', [x, start], x.dims));
  const rows = layer.rows ?? { start: 0, end: sizesOf(layer).out };
  const cut = { start: rows.start - region.start, end: rows.end - region.start };
  const layerChange = region.end - region.start === rows.end - rows.start ? change : sliced(g, change, 1, cut);
  return g.add(layer.output, g.reshape(layerChange, layer.output.dims));
}

/** One product: rotations of blocks, less the identity. */
interface Stage {
  /** [count, size, size] */
  readonly view: TensorView;
  /** Distance between rows that become neighbours; undefined where rows stay in order. */
  readonly stride: number | undefined;
}

function stagesOf(fit: Fit): Stage[] {
  const { tensors } = fit;
  const blocks = tensors.get('oft_blocks') ?? tensorIn(fit, 'oft_diag');
  const size = blocks.shape.at(-1) ?? 0;
  const out = moduleRows(fit.layer);
  const [count, stages] = [blocks.shape.at(-3) ?? 0, blocks.shape.length === 4 ? (blocks.shape[0] ?? 0) : 1];
  const isBoft = blocks.shape.length === 4;
  if (blocks.shape.at(-2) !== size || count * size !== out || sizeOf(blocks.shape) !== stages * out * size) {
    throw fit.misfit(blocks);
  }
  if (isBoft && (size % 2 !== 0 || out % (2 ** (stages - 1) * size) !== 0)) throw fit.misfit(blocks);
  const alpha = tensors.get('alpha');
  const isRotation = !tensors.has('oft_blocks');
  const view = fit.derived([stages * count, size, size], alpha ? [blocks, alpha] : [blocks], (values, limit) =>
    isRotation ? turned(values, size) : cayley(values, { size, limit: (limit?.[0] ?? 0) * out, transposed: !isBoft }),
  );
  return Array.from({ length: stages }, (_, i) => ({
    view: sliceView(view, i * count, (i + 1) * count),
    stride: isBoft ? 2 ** i * (size / 2) : undefined,
  }));
}

/** LyCORIS's first files have the rotations themselves: their transposes, less the identity. */
function turned(values: Float32Array, size: number): Float32Array {
  const area = size * size;
  return values.map((_, i) => {
    const [row, column] = [Math.floor((i % area) / size), i % size];
    return values[i - (i % area) + column * size + row] - (row === column ? 1 : 0);
  });
}

interface Region {
  readonly start: number;
  readonly end: number;
}

/** The rows of the module that the layer's rows are mixed with. */
function regionOf({ layer: { rows, weight } }: Fit, stages: readonly Stage[]): Region {
  if (rows === undefined) return { start: 0, end: weight.shape[0] };
  if (stages.some(({ stride }) => stride !== undefined)) return { start: 0, end: rows.module.weight.shape[0] };
  const [, size] = stages[0].view.shape;
  return { start: Math.floor(rows.start / size) * size, end: Math.ceil(rows.end / size) * size };
}

/** The output of the rows in a region for the layer's input, without their bias. */
function beforeBias(g: Graph, { layer }: Fit, { start, end }: Region): Value {
  const { rows, input } = layer;
  if (rows !== undefined && (start !== rows.start || end !== rows.end)) {
    return g.matmul(input, sliceView(rows.module.weight, start, end));
  }
  return withoutBias(g, layer);
}

/** A layer's output with its channels before all else but the batch of feature maps: [out, rows] or [n, out, places]. */
function columns(g: Graph, linear: boolean, y: Value): Value {
  if (linear) return g.transpose(g.reshape(y, [-1, y.dims[y.dims.length - 1]]), [1, 0]);
  return g.reshape(y, [y.dims[0], y.dims[1], -1]);
}

function fromColumns(g: Graph, linear: boolean, x: Value): Value {
  return linear ? g.transpose(x, [1, 0]) : x;
}

/** Products of blocks [count, size, size] with x [..., out, columns], shuffled before and back after it. */
function product(g: Graph, x: Value, blocks: TensorView, stride: number | undefined): Value {
  const [count, size] = blocks.shape as [number, number];
  const lead = x.dims.slice(0, -2);
  const columns = x.dims[x.dims.length - 1];
  const parts = [...lead, (count * size) / (2 * (stride ?? 1)), 2, stride ?? 1, columns];
  const swapped = parts.map((_, axis) =>
    axis === lead.length + 1 ? axis + 1 : axis === lead.length + 2 ? axis - 1 : axis,
  );
  const before = stride === undefined ? x : g.transpose(g.reshape(x, parts), swapped);
  const groups = g.reshape(before, [...lead, count, size, columns]);
  const mixed = g.op('MatMul', [g.weight(blocks), groups], groups.dims);
  if (stride === undefined) return g.reshape(mixed, x.dims);
  const shuffled = g.reshape(mixed, [...parts.slice(0, lead.length + 1), stride, 2, columns]);
  return g.reshape(g.transpose(shuffled, swapped), x.dims);
}

/** Factors of a region's rows at the strength: [rows, 1]. */
function rescaling(g: Graph, fit: Fit, rescale: TensorView, { start, end }: Region): Value {
  const out = moduleRows(fit.layer);
  if (sizeOf(rescale.shape) !== out) throw fit.misfit(rescale);
  const factors = g.weight(sliceView(reshapeView(rescale, [out, 1]), start, end));
  const change = g.op('Sub', [factors, g.constant([1])], factors.dims);
  return g.add(g.mul(change, fit.strength), g.constant([1]));
}
