import { UnsupportedError } from '@sd/core';
import type { TensorView } from '@sd/weights';
import { type FamilyId, families } from './families.js';
import type { Parts } from './parts.js';

/** What the shapes say of a U-Net. */
export interface UnetTraits {
  readonly inChannels: number;
  /** Width of the text embeddings that it attends to. */
  readonly contextWidth: number;
  readonly linearProjection: boolean;
  /** Has it a pooled embedding and sizes as inputs, as SDXL's have? */
  readonly added: boolean;
}

type Shapes = ReadonlyMap<string, Pick<TensorView, 'shape'>>;

/** Traits of a U-Net under diffusers' names; undefined for what is none. */
export function unetTraits(tensors: Shapes): UnetTraits | undefined {
  const first = tensors.get('conv_in.weight')?.shape;
  let contextWidth: number | undefined;
  let linearProjection = false;
  for (const [name, { shape }] of tensors) {
    if (name.endsWith('.attn2.to_k.weight')) contextWidth ??= shape[1];
    if (name.endsWith('.proj_in.weight')) linearProjection ||= shape.length === 2;
  }
  if (first?.length !== 4 || contextWidth === undefined) return undefined;
  const added = tensors.has('add_embedding.linear_1.weight');
  return { inChannels: first[1]!, contextWidth, linearProjection, added };
}

/**
 * The family of a file: by the text encoders that are in it, else by what its U-Net attends to. Undefined where no U-Net
 * is, or none that is known.
 */
export function familyOf({ tensors }: Pick<Parts, 'tensors'>): FamilyId | undefined {
  const traits = tensors.unet && unetTraits(tensors.unet);
  if (traits === undefined) return undefined;
  if (traits.added) {
    const whole = tensors.text_encoder !== undefined || tensors.text_encoder_2 !== undefined;
    const refiner = whole ? tensors.text_encoder === undefined : traits.contextWidth === 1280;
    return refiner ? 'sdxl-refiner' : 'sdxl';
  }
  return traits.linearProjection || traits.contextWidth === 1024 ? 'sd2' : 'sd1';
}

/** U-Nets of the known families with other purposes, by family and channels. */
const others: Readonly<Record<string, string>> = {
  'sd2/5': 'the depth-to-image model',
  'sd2/7': 'the upscaler',
  'sd1/7': 'an upscaler',
};

/** Throws an UnsupportedError, naming it, for a model of a known family that is told more than text and noise. */
export function refuseOthers(path: string, family: FamilyId, { tensors }: Pick<Parts, 'tensors'>): void {
  const { inChannels, added } = unetTraits(tensors.unet!)!;
  const unclip = added && tensors.text_encoder !== undefined && tensors.text_encoder_2 === undefined;
  const classes = tensors.unet!.has('label_emb.weight') || tensors.unet!.has('class_embedding.weight');
  const other = unclip
    ? 'unCLIP, which makes variations of pictures,'
    : classes
      ? 'a model with classes'
      : others[`${family}/${inChannels}`];
  if (other === undefined) return;
  const title = unclip ? families.sd2.title : families[family].title;
  throw new UnsupportedError(`${path}: is ${other} of ${title}, which this version does not know.`);
}
