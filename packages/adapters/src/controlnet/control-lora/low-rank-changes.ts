import type { AdaptedLayer, Graph, Value } from '@sd/graph';
import type { UnetExtension } from '@sd/unet';
import { type Checkpoint, reshapeView, sliceView, type TensorView } from '@sd/weights';

/** Adds `up @ down` to each layer's weight that the file has these factors for, read as matrices with a row per output. */
export function lowRankChanges(changes: Checkpoint): UnetExtension {
  return {
    name: 'control-lora',
    extend: (g) => ({
      layer: (layer) =>
        changes.has(`${layer.module}.up`) ? g.add(layer.output, change(g, layer, changes)) : layer.output,
    }),
  };
}

/** What the change of a layer makes of its input: two small products, or two small convolutions. */
function change(g: Graph, layer: AdaptedLayer, changes: Checkpoint): Value {
  const { module, input, conv, weight } = layer;
  const down = changes.tensor(`${module}.down`, [-1, ...weight.shape.slice(1)]);
  const up = upFactor(changes, layer, down.shape[0]);
  if (conv === undefined) return g.matmul(g.matmul(input, down), up);
  const pointwise = { kernel: 1, stride: 1, padding: [0, 0, 0, 0] } as const;
  return g.convolution(g.convolution(input, conv, down), pointwise, reshapeView(up, [...up.shape, 1, 1]));
}

/** The factor with a row for each output, or for those outputs that the layer has: [rows, rank]. */
function upFactor(changes: Checkpoint, { module, weight, rows }: AdaptedLayer, rank: number): TensorView {
  const up = changes.tensor(`${module}.up`, [rows === undefined ? weight.shape[0] : -1, rank]);
  return rows === undefined ? up : sliceView(up, rows.start, rows.end);
}
