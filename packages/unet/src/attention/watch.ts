import { InvalidOptionError, type NoisePredictor, show, type Tensor } from '@sd/core';
import type { CheckpointUnet } from '../unet.js';
import { mappedSamples, outputOf } from './attention-maps.js';

/** Maps [samples, tokens, h, w] by layer, of the samples that a call marked, in their order. */
export type LayerMaps = ReadonlyMap<string, Tensor<'float32'>>;

/** True for a U-Net from a checkpoint, whose graph can give its attention. */
export function canMapAttention(stage: object): stage is CheckpointUnet {
  return 'outputsOf' in stage && 'withExtensions' in stage;
}

/** A U-Net with the extension `attentionMaps`, which hands over the maps of these layers in calls that mark samples. */
export function watchAttention(
  unet: CheckpointUnet,
  layers: readonly string[],
  onMaps: (maps: LayerMaps) => void,
): NoisePredictor {
  return {
    ...unet,
    async predict(input, options) {
      const isMarked = input.conditions?.[mappedSamples]?.data.some((mark) => mark !== 0) === true;
      if (!isMarked) return unet.predict(input, options);
      const outputs = await unet.outputsOf(input, ['out_sample', ...layers.map(outputOf)], options);
      onMaps(new Map(layers.map((layer) => [layer, outputs[outputOf(layer)]])));
      return outputs.out_sample;
    },
  };
}

/**
 * The layers that are named, or lie in blocks that are named: `mid_block`, `up_blocks.1`, `up_blocks.1.attentions.0`. Throws
 * an InvalidOptionError for a name that fits none.
 */
export function layersNamed(layers: readonly string[], names: readonly string[], option: string): string[] {
  const isIn = (layer: string, name: string) => layer === name || layer.startsWith(`${name}.`);
  const unknown = names.find((name) => !layers.some((layer) => isIn(layer, name)));
  if (unknown === undefined) return layers.filter((layer) => names.some((name) => isIn(layer, name)));
  const blocks = [...new Set(layers.map((layer) => layer.replace(/\.attentions\..*$/, '')))];
  throw new InvalidOptionError(
    option,
    `has ${show(unknown)}, where this U-Net has no attention to the text. It has some in ${blocks.join(', ')}.`,
  );
}
