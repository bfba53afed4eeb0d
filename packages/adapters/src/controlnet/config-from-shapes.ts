import { unetConfigFromShapes } from '@sd/unet';
import { axisSize, countBlocks, range, type TensorShapes } from '@sd/weights';

type Json = Readonly<Record<string, unknown>>;

/**
 * The `config.json` of a ControlNet that came without one: read off the names and shapes of its tensors in diffusers'
 * layout. `settings` holds the values that no shape tells, from the U-Net that it is for. Throws a
 * CheckpointError that names the file at `path` and a tensor that it lacks.
 */
export function controlNetConfigFromShapes(path: string, tensors: TensorShapes, settings: Json): Json {
  const { channels, levels } = imageShape(path, tensors);
  return {
    ...unetConfigFromShapes(path, tensors, settings),
    conditioning_channels: channels,
    conditioning_embedding_out_channels: levels,
  };
}

/** The channels of a ControlNet's image, and of the layers that read it. Throws as `controlNetConfigFromShapes`. */
export function imageShape(path: string, tensors: TensorShapes): { channels: number; levels: readonly number[] } {
  const embedding = 'controlnet_cond_embedding';
  // Of the blocks that read the control image, every second one is wider than the one before.
  const wider = range(countBlocks(tensors, `${embedding}.blocks.`)).filter((i) => i % 2 === 1);
  const names = [`${embedding}.conv_in.weight`, ...wider.map((i) => `${embedding}.blocks.${i}.weight`)];
  return {
    channels: axisSize(path, tensors, `${embedding}.conv_in.weight`, 1),
    levels: names.map((name) => axisSize(path, tensors, name, 0)),
  };
}
