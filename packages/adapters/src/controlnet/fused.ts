import { type Conditions, sizeOf, type Tensor, tensor } from '@sd/core';
import type { Condition } from '@sd/guidance';
import { controlImagesInput, scalesInput } from '@sd/unet/onnx';

export interface FusedControlNetOptions {
  /** Which of the ControlNets it is, from 0, and how many there are: the U-Net's `controlNets`. */
  readonly index: number;
  readonly count: number;
  /** Its picture, [1, 3, h * 8, w * 8], 0 to 1. */
  readonly image: Tensor<'float32'>;
  /** How strongly it acts; asked at each call. */
  readonly strength: () => number;
}

/**
 * A picture for one of the ControlNets that a U-Net was exported with, as a condition of it. Several go together, as what
 * they give adds up; each of the ControlNets takes one picture.
 */
export function fusedControlNetCondition({ index, count, image, strength }: FusedControlNetOptions): Condition {
  let pictures: Tensor<'float32'> | undefined;
  return ({ texts: { length: n } }): Conditions => {
    const now = strength();
    if (now === 0) return {};
    if (pictures?.dims[1] !== n) pictures = placed(image, index, count, n);
    const scales = tensor('float32', [count, 1]);
    scales.data[index] = now;
    return { [controlImagesInput]: pictures, [scalesInput]: scales };
  };
}

/** [count, n, 3, h, w]: black but for the picture, n times, at its place. */
function placed(image: Tensor<'float32'>, index: number, count: number, n: number): Tensor<'float32'> {
  const all = tensor('float32', [count, n, ...image.dims.slice(1)]);
  const size = sizeOf(image.dims.slice(1));
  for (let i = 0; i < n; i++) all.data.set(image.data, (index * n + i) * size);
  return all;
}
