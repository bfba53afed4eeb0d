import { TensorError, type TextEmbedding, tensor } from '@sd/core';
import type { Condition } from '@sd/guidance';
import type { Size } from '../family.js';

/** SDXL's micro-conditioning, in pixels: the properties of training images that it was conditioned on. */
export interface MicroConditioning {
  /** The size of the image before it was resized for training; small sizes give results that look upscaled. */
  readonly originalSize: Size;
  /** The upper left corner of the crop; 0 and 0 for a centered subject. */
  readonly cropTopLeft: { readonly top: number; readonly left: number };
  /** The size that it was resized to. */
  readonly targetSize: Size;
  /** The image's aesthetic rating, up to about 10, which the refiner takes in place of `targetSize`. */
  readonly aestheticScore?: number;
}

/** The micro-conditioning of the prompt and of the negative prompt. */
export interface MicroConditions {
  readonly positive: MicroConditioning;
  readonly negative: MicroConditioning;
}

/**
 * The inputs `text_embeds` and `time_ids` of SDXL and its refiner: each text's pooled embedding and its micro-conditioning.
 * The condition throws a TensorError for a text without a pooled embedding.
 * @see arXiv 2307.01952, 2.2; diffusers' `_get_add_time_ids`
 */
export function microConditioning({ positive, negative }: MicroConditions): Condition {
  const [positiveIds, negativeIds] = [timeIdsOf(positive), timeIdsOf(negative)];
  return ({ texts, negative: negativeText }) => {
    const pooled = texts.map(pooledOf);
    const timeIds = texts.map((text) => (text === negativeText ? negativeIds : positiveIds));
    return { text_embeds: rows(pooled), time_ids: rows(timeIds) };
  };
}

function timeIdsOf({ originalSize, cropTopLeft, targetSize, aestheticScore }: MicroConditioning): number[] {
  const sizes = [originalSize.height, originalSize.width, cropTopLeft.top, cropTopLeft.left];
  return aestheticScore === undefined ? [...sizes, targetSize.height, targetSize.width] : [...sizes, aestheticScore];
}

function pooledOf({ pooled }: TextEmbedding): Float32Array {
  if (pooled !== undefined) return pooled.data;
  throw new TensorError('bad-tensor', 'The U-Net needs pooled text embeddings, but the text encoder returned none.');
}

function rows(values: readonly ArrayLike<number>[]) {
  const width = values[0].length;
  const data = new Float32Array(values.length * width);
  for (const [i, row] of values.entries()) data.set(row, i * width);
  return tensor('float32', [values.length, width], data);
}
