import { InvalidOptionError, type Tensor, tensor } from '@sd/core';
import { describe } from '@sd/core/options';

/** One frame, [1, channels, h, w], of a clip, whose frames are stacked along the height: [1, channels, frames * h, w]. */
function frameOf(clip: Tensor<'float32'>, frames: number, index: number): Tensor<'float32'> {
  if (frames === 1) return clip;
  const [, channels, height, width] = clip.dims;
  const frame = tensor('float32', [1, channels, height / frames, width]);
  const size = frame.data.length / channels;
  for (let channel = 0; channel < channels; channel++) {
    const from = (channel * frames + index) * size;
    frame.data.set(clip.data.subarray(from, from + size), channel * size);
  }
  return frame;
}

/** The frames of a clip, [1, channels, h, w] each; of an image, the image. */
export function framesOf(clip: Tensor<'float32'>, frames: number): Tensor<'float32'>[] {
  return Array.from({ length: frames }, (_, index) => frameOf(clip, frames, index));
}

/** The frame to preview, by default the middle one. Throws an InvalidOptionError for an index that is out of range. */
export function previewedFrame(
  clip: Tensor<'float32'>,
  frames: number,
  index = Math.floor(frames / 2),
): Tensor<'float32'> {
  if (!(Number.isInteger(index) && index >= 0 && index < frames)) {
    throw new InvalidOptionError('frame', `must be a whole number from 0 to ${frames - 1}, not ${describe(index)}.`);
  }
  return frameOf(clip, frames, index);
}
