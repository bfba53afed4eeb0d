import { familyOfContext, unsupportedModel } from '@sd/adapters';
import { shapeMatching, type WeightsFile } from '@sd/weights';
import { families } from '../../families.js';
import { families as singleFiles } from '../single-file/families.js';
import { splitParts } from '../single-file/parts.js';
import { familyOf, refuseOthers, unetTraits } from '../single-file/recognise.js';
import type { Finding } from './inspection.js';

/** What a model's U-Net does, by its channels over those of its latents. */
const purposes: Readonly<Record<number, string>> = { 4: 'text to picture', 9: 'inpainting', 8: 'instruct-pix2pix' };

/** Files that are seen often and are of no use here, by a tensor that they have. */
const useless: readonly (readonly [title: string, name: RegExp])[] = [
  ['an upscaler of pictures (ESRGAN)', /^(model\.1\.sub\.0\.RDB1|body\.0\.rdb1|RRDB_trunk\.0)\./i],
  ['a safety checker', /^concept_embeds$/],
  ['a T5 text encoder', /^encoder\.block\.0\.layer\.0\.SelfAttention\./],
  ['a ControlNet-LLLite', /^lllite_/],
  ['a Control-LoRA', /^lora_controlnet$/],
];

/** A whole model, or a part of one. */
export function findModel(file: WeightsFile): Finding | undefined {
  const { tensors, path } = file;
  const parts = splitParts(path, tensors);
  const { unet, vae, text_encoder: text, text_encoder_2: text2 } = parts.tensors;
  const family = familyOf(parts);
  const traits = unet && unetTraits(unet);
  if (unet !== undefined && traits !== undefined && family !== undefined) {
    const original = !tensors.has('conv_in.weight');
    const { inChannels, contextWidth } = traits;
    const whole = vae !== undefined || text !== undefined || text2 !== undefined;
    const details = {
      purpose: purposes[inChannels],
      channels: inChannels,
      contextWidth,
      parts: Object.keys(parts.tensors),
      guidanceInput: unet.has('time_embedding.cond_proj.weight') || undefined,
      title: singleFiles[family].title,
    };
    const finding = { family, layout: original ? 'original' : 'diffusers', details };
    return { kind: whole ? 'pipeline' : 'unet', ...finding, ...refusal(() => refuseOthers(path, family, parts)) };
  }
  if (vae !== undefined)
    return {
      kind: 'vae',
      layout: tensors.has('decoder.up_blocks.0.resnets.0.conv1.weight') ? 'diffusers' : 'original',
      details: { latentChannels: vae.get('decoder.conv_in.weight')?.shape[1] },
    };
  if (text !== undefined) {
    const width = text.get('embeddings.token_embedding.weight')?.shape[1];
    const { id } = familyOfContext(families, width) ?? {};
    return { kind: 'text-encoder', layout: 'transformers', details: { width }, family: id };
  }
  return findPart(file) ?? findForeign(file);
}

function findPart(file: WeightsFile): Finding | undefined {
  const tiny = /^((encoder|decoder)\.layers\.)?\d+\.conv\.0\.weight$/;
  if (shapeMatching(file.tensors, tiny) !== undefined) {
    const diffusers = shapeMatching(file.tensors, /^(encoder|decoder)\.layers\./) !== undefined;
    return { kind: 'vae', layout: diffusers ? 'diffusers' : 'original', details: { tiny: true } };
  }
  const vision = shapeMatching(file.tensors, /(^|\.)vision_model\.embeddings\.patch_embedding\.weight$/);
  if (vision !== undefined) {
    return { kind: 'image-encoder', layout: 'transformers', details: { width: vision[0], patch: vision[2] } };
  }
  return undefined;
}

function findForeign({ tensors }: WeightsFile): Finding | undefined {
  const names = [...tensors.keys()];
  const title = unsupportedModel(names);
  if (title !== undefined) {
    const canDo = `It is a model of ${title}; this version knows Stable Diffusion 1, 2 and XL.`;
    return { kind: 'unknown', details: { title }, canDo };
  }
  const found = useless.find(([, pattern]) => names.some((name) => pattern.test(name)))?.[0];
  return found === undefined
    ? undefined
    : { kind: 'unknown', details: { title: found }, canDo: `It is ${found}, which has no use here.` };
}

/** The message of what is refused, as what can be done. */
function refusal(check: () => void): { canDo?: string } {
  try {
    check();
    return {};
  } catch (error) {
    return { canDo: `It cannot be loaded: ${(error as Error).message}` };
  }
}
