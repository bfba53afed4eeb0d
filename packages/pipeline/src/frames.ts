import { InvalidOptionError, type Tensor, tensor } from '@sd/core';
import { describe } from './checks.js';

/** A clip is one tall sample, [1, channels, frames * h, w]: one of its frames, [1, channels, h, w]. */
function frameOf(clip: Tensor<'float32'>, frames: number, i: number): Tensor<'float32'> {
  if (frames === 1) return clip;
  const [, channels, height, width] = clip.dims as [number, number, number, number];
  const frame = tensor('float32', [1, channels, height / frames, width]);
  const size = frame.data.length / channels;
  for (let channel = 0; channel < channels; channel++) {
    const from = (channel * frames + i) * size;
    frame.data.set(clip.data.subarray(from, from + size), channel * size);
  }
  return frame;
}

export function framesOf(clip: Tensor<'float32'>, frames: number): Tensor<'float32'>[] {
  return Array.from({ length: frames }, (_, i) => frameOf(clip, frames, i));
}

/** The frame that a preview is of. Throws an InvalidOptionError for one that the clip has not. */
export function previewedFrame(clip: Tensor<'float32'>, frames: number, i = Math.floor(frames / 2)): Tensor<'float32'> {
  if (!(Number.isInteger(i) && i >= 0 && i < frames)) {
    throw new InvalidOptionError('frame', `must be a whole number from 0 to ${frames - 1}, not ${describe(i)}.`);
  }
  return frameOf(clip, frames, i);
}
