import { CheckpointError, type Source } from '@sd/core';
import { unetConfigFromShapes } from '@sd/unet';
import { originalTinyVaeNames, vaeConfigFromShapes } from '@sd/vae';
import { Checkpoint, Config, hasFile, openWeights, partFiles, renameTensors } from '@sd/weights';
import { type Located, locate, type Place } from '../locate.js';
import type { ExportedStages, ModelSource } from '../model-source.js';
import type { Json } from './families.js';
import { splitParts, type Tensors } from './parts.js';

const titles = { unet: 'U-Net', vae: 'VAE' } as const;

export type ReplacedPart = keyof typeof titles;

/**
 * A model with another U-Net or VAE: a folder of its own, or a file, in either layout, or a whole model of which that
 * part is taken. Of a file, shapes come from its tensors, and what they do not tell from the model. Throws a
 * CheckpointError for a file without such a part.
 */
export async function withPart(model: ModelSource, part: ReplacedPart, place: Place): Promise<ModelSource> {
  const located = await locate(place);
  if (located.path === '' && part === 'unet' && (await hasFile(located.source, 'model.onnx'))) {
    return withOnnxUnet(model, located.source);
  }
  const other = located.path === '' ? { source: located.source, folder: '' } : await openPart(model, part, located);
  const { exported } = model;
  return {
    ...model,
    part: (name) => (name === part ? other : model.part(name)),
    ...(exported && { exported: { ...exported, stages: { ...exported.stages, [part]: undefined } } }),
  };
}

/** A U-Net that was exported to ONNX, such as one with inputs for a ControlNet. */
function withOnnxUnet(model: ModelSource, source: Source): ModelSource {
  const { parts = [], stages = {} } = model.exported ?? {};
  const unet: ExportedStages['unet'] = async (backend) => {
    const { loadOnnxUnet } = await import('@sd/unet/onnx');
    return loadOnnxUnet({ backend, source, folder: '' });
  };
  return { ...model, exported: { parts: [...parts, 'unet'], stages: { ...stages, unet } } };
}

async function openPart(model: ModelSource, part: ReplacedPart, { source, path }: Located) {
  const { tensors } = await openWeights(source, path);
  const settings = await model.settings(part);
  const tiny = part === 'vae' ? await tinyVae(source, path, tensors, settings) : undefined;
  if (tiny !== undefined) return tiny;
  const known = settings._class_name === 'AutoencoderTiny' ? {} : settings;
  const own = splitParts(path, tensors).tensors[part];
  if (own === undefined) {
    const [first = 'none'] = tensors.keys();
    throw new CheckpointError('bad-checkpoint', path, `has no ${titles[part]}: its first tensor is ${first}.`);
  }
  const values = (part === 'unet' ? unetConfigFromShapes : vaeConfigFromShapes)(path, own, known);
  const config = new Config(path, { ...values, ...(part === 'vae' && { _class_name: 'AutoencoderKL' }) });
  return { config, checkpoint: new Checkpoint(path, partFiles(source, path, own)) };
}

/** A tiny autoencoder in diffusers' names, or in the two files of its authors; undefined for any other tensors. */
async function tinyVae(source: Source, path: string, tensors: Tensors, known: Json) {
  const named = tensors.has('decoder.layers.0.weight') ? tensors : await bothHalves(source, path, tensors);
  if (named === undefined) return undefined;
  const [width, latentChannels] = named.get('decoder.layers.0.weight')!.shape;
  const config = new Config(path, {
    ...(known._class_name === 'AutoencoderTiny' ? known : {}),
    _class_name: 'AutoencoderTiny',
    latent_channels: latentChannels,
    encoder_block_out_channels: new Array(4).fill(width),
    decoder_block_out_channels: new Array(4).fill(width),
  });
  return { config, checkpoint: new Checkpoint(path, named) };
}

/** TAESD's own files hold a half each: `taesd_encoder.safetensors` beside `taesd_decoder.safetensors`. */
async function bothHalves(source: Source, path: string, tensors: Tensors): Promise<Tensors | undefined> {
  const half = tensors.has('1.weight') && tensors.has('3.conv.0.weight') ? 'decoder' : 'encoder';
  if (half === 'encoder' && !(tensors.has('0.weight') && tensors.has('1.conv.0.weight'))) return undefined;
  const other = half === 'decoder' ? 'encoder' : 'decoder';
  const beside = path.replace(new RegExp(`${half}(?=[^/]*$)`), other);
  if (beside === path || !(await hasFile(source, beside))) {
    throw new CheckpointError(
      'bad-checkpoint',
      path,
      `is the ${half} of a tiny autoencoder alone. Put its ${other} beside it, as ${beside}.`,
    );
  }
  const { tensors: rest } = await openWeights(source, beside);
  return new Map([
    ...renameTensors(path, tensors, originalTinyVaeNames(half)),
    ...renameTensors(beside, rest, originalTinyVaeNames(other)),
  ]);
}
