import { axisSize, countBlocks, range, type TensorShapes } from '@sd/weights';

/** Sides in pixels of the squares that adapters begin with: SD 1's, and SDXL's. */
const factors = [8, 16];

/**
 * The `config.json` of a T2I-Adapter that came without one: read off the names and shapes of its tensors in diffusers'
 * layout. Throws a CheckpointError that names the file at `path` and a tensor that it lacks.
 */
export function t2iAdapterConfigFromShapes(path: string, tensors: TensorShapes): Readonly<Record<string, unknown>> {
  const isLight = !tensors.has('adapter.conv_in.weight');
  const lastLayer = isLight ? 'out_conv' : 'resnets.0.block1';
  const inputs = axisSize(path, tensors, isLight ? 'adapter.body.0.in_conv.weight' : 'adapter.conv_in.weight', 1);
  const channels = range(countBlocks(tensors, 'adapter.body.')).map((i) =>
    axisSize(path, tensors, `adapter.body.${i}.${lastLayer}.weight`, 0),
  );
  // Three channels of colour, or one: both factors divide the inputs evenly for one of them only.
  const factor = factors.find((side) => inputs === 3 * side ** 2) ?? factors.find((side) => inputs === side ** 2) ?? 8;
  return {
    adapter_type: isLight ? 'light_adapter' : factor === 16 ? 'full_adapter_xl' : 'full_adapter',
    in_channels: inputs / factor ** 2,
    // The last stage of a light adapter repeats the channels before it.
    channels: isLight ? channels.slice(0, -1) : channels,
    num_res_blocks: countBlocks(tensors, 'adapter.body.0.resnets.'),
    downscale_factor: factor,
  };
}
