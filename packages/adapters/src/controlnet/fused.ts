import { type Conditions, sizeOf, type Tensor, tensor } from '@sd/core';
import type { Condition, ModelCall } from '@sd/guidance';
import { controlImagesInput, scalesInput } from '@sd/unet/onnx';

export interface FusedControlNetOptions {
  /** The index of the ControlNet, from 0, and their number, the U-Net's `controlNets`. */
  readonly index: number;
  readonly count: number;
  /** Its image, [1, 3, h * 8, w * 8], 0 to 1. */
  readonly image: Tensor<'float32'>;
  /** How strongly it acts at a call of the model. At 0 nothing is given. */
  readonly strength: (call: ModelCall) => number;
}

/**
 * An image for one of the ControlNets that a U-Net was exported with, as a condition of it. Conditions for several of them
 * add up; each ControlNet takes one image.
 */
export function fusedControlNetCondition({ index, count, image, strength }: FusedControlNetOptions): Condition {
  let images: Tensor<'float32'> | undefined;
  return (call): Conditions => {
    const batch = call.texts.length;
    const scale = strength(call);
    if (scale === 0) return {};
    if (images?.dims[1] !== batch) images = placed(image, index, count, batch);
    const scales = tensor('float32', [count, 1]);
    scales.data[index] = scale;
    return { [controlImagesInput]: images, [scalesInput]: scales };
  };
}

/** [count, n, 3, h, w]: black apart from the image, n times, at its index. */
function placed(image: Tensor<'float32'>, index: number, count: number, n: number): Tensor<'float32'> {
  const all = tensor('float32', [count, n, ...image.dims.slice(1)]);
  const size = sizeOf(image.dims.slice(1));
  for (let i = 0; i < n; i++) all.data.set(image.data, (index * n + i) * size);
  return all;
}
