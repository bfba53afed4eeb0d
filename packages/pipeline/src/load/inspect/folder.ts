import { adapterKinds, familyOfContext } from '@sd/adapters';
import type { Source } from '@sd/core';
import { hasFile, readConfig } from '@sd/weights';
import { families } from '../../families.js';
import { isExported } from '../is-exported.js';
import type { FamilyId } from '../single-file/families.js';
import type { FileKind, Finding } from './inspection.js';

/** Kinds by the class that a folder's `config.json` names. */
const classes: Readonly<Record<string, FileKind>> = {
  UNet2DConditionModel: 'unet',
  AutoencoderKL: 'vae',
  AutoencoderTiny: 'vae',
  CLIPTextModel: 'text-encoder',
  CLIPTextModelWithProjection: 'text-encoder',
  CLIPVisionModel: 'image-encoder',
  CLIPVisionModelWithProjection: 'image-encoder',
  ...Object.fromEntries(adapterKinds.flatMap(({ name, folder }) => (folder?.classes ?? []).map((key) => [key, name]))),
};

/** Files in a folder that stand for all of it. */
const singles = adapterKinds.flatMap(({ folder }) => folder?.files ?? []);

/** What a folder is; the path of the file in it that says so, or what its configs say. Undefined where neither is known. */
export async function findFolder(source: Source): Promise<Finding | string | undefined> {
  if (await hasFile(source, 'model_index.json')) return findPipeline(source);
  if (await hasFile(source, 'model.onnx')) return 'model.onnx';
  if (await hasFile(source, 'config.json')) {
    const config = await readConfig(source, 'config.json');
    const [architecture] = [config.get('architectures')].flat();
    const name = config.get('_class_name') ?? architecture;
    const kind = typeof name === 'string' && Object.hasOwn(classes, name) ? classes[name] : undefined;
    if (kind === undefined) return undefined;
    const family = familyOfConfig(config.get('cross_attention_dim'));
    return { kind, layout: 'diffusers', details: { class: name as string }, ...(family && { family }) };
  }
  for (const file of singles) if (await hasFile(source, file)) return file;
  return undefined;
}

async function findPipeline(source: Source): Promise<Finding> {
  const index = await readConfig(source, 'model_index.json');
  const name = index.get('_class_name');
  const details = { class: typeof name === 'string' ? name : undefined };
  if (await isExported(source)) return (await import('./onnx.js')).findOnnxFolder(source, details.class);
  const unet = (await hasFile(source, 'unet/config.json')) ? await readConfig(source, 'unet/config.json') : undefined;
  if (unet === undefined) {
    return {
      kind: 'unknown',
      layout: 'diffusers',
      details,
      canDo: 'It is a pipeline without a U-Net, which this version does not know.',
    };
  }
  const family =
    familyOfConfig(unet.get('cross_attention_dim')) ??
    familyOfParts(index.get('text_encoder_2'), unet.get('use_linear_projection'));
  return {
    kind: 'pipeline',
    layout: 'diffusers',
    family,
    details: { ...details, channels: unet.number('in_channels', 4) },
  };
}

function familyOfConfig(width: unknown): FamilyId | undefined {
  return typeof width === 'number' ? familyOfContext(families, width)?.id : undefined;
}

/** By the parts, for models of no known width. */
function familyOfParts(second: unknown, linear: unknown): FamilyId {
  if (Array.isArray(second) && second[1] !== null) return 'sdxl';
  return linear === true ? 'sd2' : 'sd1';
}
