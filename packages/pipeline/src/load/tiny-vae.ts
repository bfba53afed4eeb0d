import { CheckpointError, type Source } from '@sd/core';
import { originalTinyVaeNames } from '@sd/vae/single-file';
import { Checkpoint, Config, hasFile, type ModelParts, openWeights, renameTensors } from '@sd/weights';
import type { Json, Tensors } from '../families/family.js';

/** Opens a tiny autoencoder under diffusers' names, or in its authors' two files; undefined for any other tensors. */
export async function openTinyVae(
  source: Source,
  path: string,
  tensors: Tensors,
  known: Json,
): Promise<ModelParts | undefined> {
  const named = tensors.has('decoder.layers.0.weight') ? tensors : await bothHalves(source, path, tensors);
  const first = named?.get('decoder.layers.0.weight');
  if (named === undefined || first === undefined) return undefined;
  const [width, latentChannels] = first.shape;
  const config = new Config(path, {
    ...(known._class_name === 'AutoencoderTiny' ? known : {}),
    _class_name: 'AutoencoderTiny',
    latent_channels: latentChannels,
    encoder_block_out_channels: new Array(4).fill(width),
    decoder_block_out_channels: new Array(4).fill(width),
  });
  return { config, checkpoint: new Checkpoint(path, named) };
}

/** TAESD's original files have one half each: `taesd_encoder.safetensors` and `taesd_decoder.safetensors` in one folder. */
async function bothHalves(source: Source, path: string, tensors: Tensors): Promise<Tensors | undefined> {
  const half = tensors.has('1.weight') && tensors.has('3.conv.0.weight') ? 'decoder' : 'encoder';
  if (half === 'encoder' && !(tensors.has('0.weight') && tensors.has('1.conv.0.weight'))) return undefined;
  const other = half === 'decoder' ? 'encoder' : 'decoder';
  const otherPath = path.replace(new RegExp(`${half}(?=[^/]*$)`), other);
  if (otherPath === path || !(await hasFile(source, otherPath))) {
    throw new CheckpointError(
      'bad-checkpoint',
      path,
      `is only the ${half} of a tiny autoencoder. Put its ${other} in the same folder, as ${otherPath}.`,
    );
  }
  const { tensors: rest } = await openWeights(source, otherPath);
  return new Map([
    ...renameTensors(path, tensors, originalTinyVaeNames(half)),
    ...renameTensors(otherPath, rest, originalTinyVaeNames(other)),
  ]);
}
