import { AbortError, type ImageEncoder, type Tensor, tensor } from '@sd/core';
import { type ConformanceCase, conforms, rejection, withStage } from '@sd/core/testing';

export interface ImageEncoderSuiteOptions {
  create(): Promise<ImageEncoder> | ImageEncoder;
  /** Width and height of its input, in pixels. */
  readonly size: number;
}

/** The requirements for every image encoder stage, as cases for any test runner. */
export function imageEncoderSuite({ create, size }: ImageEncoderSuiteOptions): ConformanceCase[] {
  const withEncoder = (run: (encoder: ImageEncoder) => Promise<void>) => withStage(create, run);
  const images = waves([2, 3, size, size]);
  return [
    {
      name: 'gives one embedding per image, and one vector per patch',
      run: () =>
        withEncoder(async (encoder) => {
          const outputs = await encoder.encode(images);
          conforms(outputs.length === 2, `Two images must give two embeddings, not ${outputs.length}.`);
          for (const { embedding, hidden } of outputs) {
            conforms(embedding.dims.length === 1, `embedding must be [width], not [${embedding.dims}].`);
            conforms(hidden.dims.length === 2, `hidden must be [tokens, width], not [${hidden.dims}].`);
            const finite = [embedding, hidden].every(({ data }) => data.every(Number.isFinite));
            conforms(finite, 'embedding and hidden must be finite.');
          }
        }),
    },
    {
      name: 'distinguishes images',
      run: () =>
        withEncoder(async (encoder) => {
          const [first, second] = await encoder.encode(images);
          const differ = first.embedding.data.some((value, i) => value !== second.embedding.data[i]);
          conforms(differ, 'Different images must have different embeddings.');
        }),
    },
    {
      name: 'encodes an image independently of its batch',
      run: () =>
        withEncoder(async (encoder) => {
          const [, batched] = await encoder.encode(images);
          const half = images.data.length / 2;
          const [alone] = await encoder.encode(tensor('float32', [1, 3, size, size], images.data.slice(half)));
          const largest = Math.max(...alone.embedding.data.map(Math.abs));
          const same = alone.embedding.data.every(
            (value, i) => Math.abs(value - batched.embedding.data[i]) <= 1e-4 * largest,
          );
          conforms(same, 'An image must not depend on the others in its batch.');
        }),
    },
    {
      name: 'describes its preprocessing',
      run: () =>
        withEncoder(async ({ preprocessing: { mean, std, rescale } }) => {
          const isComplete = mean.length === 3 && std.length === 3 && std.every((value) => value > 0);
          conforms(isComplete, 'preprocessing must have a mean and a std for each of three channels.');
          conforms(Number.isFinite(rescale), `preprocessing.rescale must be a number, not ${rescale}.`);
        }),
    },
    {
      name: 'rejects with an AbortError when aborted, and works afterwards',
      run: () =>
        withEncoder(async (encoder) => {
          const error = await rejection('An aborted run', () =>
            encoder.encode(images, { signal: AbortSignal.abort() }),
          );
          conforms((error as Error).name === new AbortError().name, `The error must be an AbortError, not ${error}.`);
          await encoder.encode(images);
        }),
    },
  ];
}

/** An image encoder without a model: the embedding is the image's mean, the hidden state the means of equal parts. */
export function mockImageEncoder({ size = 8, width = 8 }: { size?: number; width?: number } = {}): ImageEncoder {
  return {
    preprocessing: {
      resize: { shortestEdge: size },
      crop: { width: size, height: size },
      rescale: 1 / 255,
      mean: [0, 0, 0],
      std: [1, 1, 1],
    },
    async encode(pixels, { signal } = {}) {
      if (signal?.aborted) throw new AbortError(signal.reason);
      const [count, , height] = pixels.dims;
      const each = pixels.data.length / count;
      return Array.from({ length: count }, (_, i) => {
        const image = pixels.data.subarray(i * each, (i + 1) * each);
        return {
          embedding: means(image, [width], 1),
          hidden: means(image, [height, width], height),
        };
      });
    },
  };
}

/** Means over equal parts of an image, times 1, 2, ... along the last axis. */
function means(image: Float32Array, dims: readonly number[], parts: number): Tensor<'float32'> {
  const out = tensor('float32', dims);
  const [length, width] = [image.length / parts, out.data.length / parts];
  for (let part = 0; part < parts; part++) {
    const sum = image.subarray(part * length, (part + 1) * length).reduce((total, value) => total + value, 0);
    for (let i = 0; i < width; i++) out.data[part * width + i] = (sum / length) * (i + 1);
  }
  return out;
}

function waves(dims: readonly number[]): Tensor<'float32'> {
  const value = tensor('float32', dims);
  value.data.forEach((_, i) => {
    value.data[i] = Math.sin(1.7 * i);
  });
  return value;
}
