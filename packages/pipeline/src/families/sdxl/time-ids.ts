import { TensorError, type TextEmbedding, tensor } from '@sd/core';
import type { Condition } from '@sd/guidance';

export interface Size {
  readonly width: number;
  readonly height: number;
}

/** What SDXL is told of a picture, in pixels: what the pictures that it learned from were, and how they were cut. */
export interface MicroConditioning {
  /** The size of the picture before it was made fit for training: small ones look scaled up. */
  readonly originalSize: Size;
  /** Where it was cut: 0 and 0 are for a subject in the middle. */
  readonly cropTopLeft: { readonly top: number; readonly left: number };
  /** The size that it was brought to. */
  readonly targetSize: Size;
  /** SDXL's refiner has this in place of `targetSize`: how good the picture was judged to be, up to about 10. */
  readonly aestheticScore?: number;
}

export interface MicroConditions {
  readonly positive: MicroConditioning;
  /** Of the negative prompt. */
  readonly negative: MicroConditioning;
}

/**
 * The `text_embeds` and `time_ids` of SDXL and its refiner: each text's pooled vector, and the numbers that go with it.
 * The condition throws a TensorError for a text without a pooled vector.
 * @see arXiv 2307.01952, 2.2; diffusers' `_get_add_time_ids`
 */
export function microConditioning({ positive, negative }: MicroConditions): Condition {
  const [forPrompts, forNegative] = [numbersOf(positive), numbersOf(negative)];
  return ({ texts, negative: without }) => {
    const pooled = texts.map(pooledOf);
    const numbers = texts.map((text) => (text === without ? forNegative : forPrompts));
    return { text_embeds: rows(pooled), time_ids: rows(numbers) };
  };
}

function numbersOf({ originalSize, cropTopLeft, targetSize, aestheticScore }: MicroConditioning): number[] {
  const numbers = [originalSize.height, originalSize.width, cropTopLeft.top, cropTopLeft.left];
  return aestheticScore === undefined
    ? [...numbers, targetSize.height, targetSize.width]
    : [...numbers, aestheticScore];
}

function pooledOf({ pooled }: TextEmbedding): Float32Array {
  if (pooled !== undefined) return pooled.data;
  throw new TensorError('bad-tensor', 'The U-Net needs a text’s pooled vector, but the text encoder gave none.');
}

function rows(values: readonly ArrayLike<number>[]) {
  const width = values[0].length;
  const data = new Float32Array(values.length * width);
  for (const [i, row] of values.entries()) data.set(row, i * width);
  return tensor('float32', [values.length, width], data);
}
