import { InvalidOptionError, type Tensor, tensor } from '@sd/core';
import { describe } from '@sd/core/options';

/** One frame, [1, channels, h, w], of a clip: a clip's latents are one tall sample, [1, channels, frames * h, w]. */
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

export function framesOf(clip: Tensor<'float32'>, frames: number): Tensor<'float32'>[] {
  return Array.from({ length: frames }, (_, index) => frameOf(clip, frames, index));
}

/** The frame to preview; the middle one by default. Throws an InvalidOptionError for a frame that the clip does not have. */
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
