import { axisSize, countBlocks, range, type TensorShapes } from '@sd/weights';

type Json = Readonly<Record<string, unknown>>;

/**
 * The `config.json` of an `AutoencoderKL` that came without one: read off the names and shapes of its tensors in
 * diffusers' layout. `settings` holds the values that no shape tells. Throws a CheckpointError that names the file at
 * `path` and a tensor that it lacks.
 */
export function vaeConfigFromShapes(path: string, tensors: TensorShapes, settings: Json): Json {
  const levels = range(countBlocks(tensors, 'decoder.up_blocks.'));
  return {
    ...settings,
    in_channels: axisSize(path, tensors, 'encoder.conv_in.weight', 1),
    out_channels: axisSize(path, tensors, 'decoder.conv_out.weight', 0),
    latent_channels: axisSize(path, tensors, 'decoder.conv_in.weight', 1),
    block_out_channels: levels
      .toReversed()
      .map((i) => axisSize(path, tensors, `decoder.up_blocks.${i}.resnets.0.conv1.weight`, 0)),
    layers_per_block: countBlocks(tensors, 'encoder.down_blocks.0.resnets.'),
    down_block_types: levels.map(() => 'DownEncoderBlock2D'),
    up_block_types: levels.map(() => 'UpDecoderBlock2D'),
    mid_block_add_attention: tensors.has('decoder.mid_block.attentions.0.to_q.weight'),
    use_quant_conv: tensors.has('quant_conv.weight'),
    use_post_quant_conv: tensors.has('post_quant_conv.weight'),
  };
}
