import type { Checkpoint, WeightsFile } from '@sd/weights';

/**
 * Marks a ControlNet stored as differences, to which the U-Net's weights of the same names are added.
 * @see github.com/Mikubill/sd-webui-controlnet, extract_controlnet_diff.py
 */
export const differenceMark = 'difference';

/** A ControlNet's tensors, by diffusers' names, plus those of the U-Net. Throws a CheckpointError where a shape differs. */
export function withUnet(tensors: WeightsFile['tensors'], unet: Checkpoint): WeightsFile['tensors'] {
  const unetNames = new Set(unet.names);
  return new Map(
    [...tensors].flatMap(([name, view]) => {
      if (name === differenceMark) return [];
      return [[name, unetNames.has(name) ? { ...view, plus: unet.tensor(name, withoutOnes(view.shape)) } : view]];
    }),
  );
}

/** A 1 x 1 convolution is a matrix, so the two shapes are interchangeable. */
function withoutOnes(shape: readonly number[]): readonly number[] {
  return shape.slice(0, shape.findLastIndex((size) => size !== 1) + 1);
}
