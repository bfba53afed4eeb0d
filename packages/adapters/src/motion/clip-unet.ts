import { type Conditions, type NoisePredictor, type Tensor, tensor } from '@sd/core';
import { framesInput } from './motion-adapter.js';

/**
 * A U-Net with a motion adapter, for clips. To what calls it a clip is one tall sample, its frames one under the other:
 * [n, c, frames * h, w], which in memory is [n, c, frames, h, w]. The U-Net sees frames as a batch, each with the text.
 */
export function clipUnet(unet: NoisePredictor, frames: number): NoisePredictor {
  return {
    inChannels: unet.inChannels,
    outChannels: unet.outChannels,
    sampleSize: unet.sampleSize,
    ...(unet.needs && { needs: unet.needs.filter(({ name }) => name !== framesInput) }),
    async predict({ sample, timestep, context, conditions }, options) {
      const [clips, channels, height, width] = sample.dims;
      const rows = height / frames;
      const output = await unet.predict(
        {
          sample: tensor(
            'float32',
            [clips * frames, channels, rows, width],
            swapped(sample.data, clips, channels, frames, rows * width),
          ),
          timestep,
          context: repeated(context, frames),
          conditions: {
            ...forFrames(conditions, clips, frames),
            [framesInput]: tensor('float32', [1], Float32Array.of(frames)),
          },
        },
        options,
      );
      const data = swapped(output.data, clips, frames, output.dims[1], rows * width);
      return tensor('float32', [clips, output.dims[1], height, width], data);
    },
  };
}

/** [n, a, b, size] as [n, b, a, size]. */
function swapped(data: Float32Array, n: number, a: number, b: number, size: number): Float32Array {
  const result = new Float32Array(data.length);
  for (let i = 0; i < n; i++) {
    for (let j = 0; j < a; j++) {
      for (let k = 0; k < b; k++) {
        const from = ((i * a + j) * b + k) * size;
        result.set(data.subarray(from, from + size), ((i * b + k) * a + j) * size);
      }
    }
  }
  return result;
}

/** Each row, as many times as there are frames. */
function repeated({ dims, data }: Tensor<'float32'>, frames: number): Tensor<'float32'> {
  const size = data.length / dims[0];
  const result = tensor('float32', [dims[0] * frames, ...dims.slice(1)]);
  for (let i = 0; i < dims[0] * frames; i++) {
    const from = Math.floor(i / frames) * size;
    result.data.set(data.subarray(from, from + size), i * size);
  }
  return result;
}

/** Conditions of a text are repeated for its frames; single numbers are for all. */
function forFrames(conditions: Conditions | undefined, clips: number, frames: number): Conditions {
  return Object.fromEntries(
    Object.entries(conditions ?? {}).map(([name, value]) => [
      name,
      value.dims.length > 1 && value.dims[0] === clips ? repeated(value, frames) : value,
    ]),
  );
}
