import type { AdaptedLayer } from '@sd/graph';
import type { UnetExtension } from '@sd/unet';
import { type Checkpoint, sliceView, type TensorView } from '@sd/weights';
import { sizesOf } from '../lora/fit.js';
import { lowRank } from '../lora/low-rank.js';

/** Adds `up @ down` to each layer's weight that the file has these factors for, read as matrices with a row per output. */
export function lowRankChanges(changes: Checkpoint): UnetExtension {
  return {
    name: 'control-lora',
    extend(g) {
      const strength = g.constant([1]);
      return {
        layer(layer) {
          if (!changes.has(`${layer.module}.up`)) return layer.output;
          const { channels, kernel } = sizesOf(layer);
          const down = changes.tensor(`${layer.module}.down`, [-1, channels, ...kernel]);
          const up = upFactor(changes, layer, down.shape[0]);
          return lowRank(g, { layer }, strength, { down: g.weight(down), up: g.weight(up) }).output;
        },
      };
    },
  };
}

/** The factor with a row for each output, or for those outputs that the layer has. */
function upFactor(changes: Checkpoint, { module, weight, rows }: AdaptedLayer, rank: number): TensorView {
  const up = changes.tensor(`${module}.up`, [rows === undefined ? weight.shape[0] : -1, rank]);
  return rows === undefined ? up : sliceView(up, rows.start, rows.end);
}
