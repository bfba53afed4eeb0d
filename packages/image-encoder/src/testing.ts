import { AbortError, type ImageEncoder, type Tensor, tensor } from '@sd/core';
import { type ConformanceCase, conforms, rejection, withStage } from '@sd/core/testing';

export interface ImageEncoderSuiteOptions {
  create(): Promise<ImageEncoder> | ImageEncoder;
  /** Pixels a side of the pictures that it takes. */
  readonly size: number;
}

/** What every image encoder stage must do, as cases for any test runner. */
export function imageEncoderSuite({ create, size }: ImageEncoderSuiteOptions): ConformanceCase[] {
  const withEncoder = (run: (encoder: ImageEncoder) => Promise<void>) => withStage(create, run);
  const two = waves([2, 3, size, size]);
  return [
    {
      name: 'gives one embedding a picture, and a vector a patch',
      run: () =>
        withEncoder(async (encoder) => {
          const outputs = await encoder.encode(two);
          conforms(outputs.length === 2, `Two pictures must give two embeddings, not ${outputs.length}.`);
          for (const { embedding, hidden } of outputs) {
            conforms(embedding.dims.length === 1, `embedding must be [width], not [${embedding.dims}].`);
            conforms(hidden.dims.length === 2, `hidden must be [tokens, width], not [${hidden.dims}].`);
            const finite = [embedding, hidden].every(({ data }) => data.every(Number.isFinite));
            conforms(finite, 'What it gives must be finite.');
          }
        }),
    },
    {
      name: 'tells pictures apart',
      run: () =>
        withEncoder(async (encoder) => {
          const [one, other] = await encoder.encode(two);
          const differ = one.embedding.data.some((value, i) => value !== other.embedding.data[i]);
          conforms(differ, 'Different pictures must differ.');
        }),
    },
    {
      name: 'sees a picture alone as in company',
      run: () =>
        withEncoder(async (encoder) => {
          const [, company] = await encoder.encode(two);
          const half = two.data.length / 2;
          const [alone] = await encoder.encode(tensor('float32', [1, 3, size, size], two.data.slice(half)));
          const largest = Math.max(...alone.embedding.data.map(Math.abs));
          const same = alone.embedding.data.every(
            (value, i) => Math.abs(value - company.embedding.data[i]) <= 1e-4 * largest,
          );
          conforms(same, 'A picture must not depend on the others of its batch.');
        }),
    },
    {
      name: 'says how pictures are made ready for it',
      run: () =>
        withEncoder(async ({ preprocessing: { mean, std, rescale } }) => {
          const whole = mean.length === 3 && std.length === 3 && std.every((value) => value > 0);
          conforms(whole, 'preprocessing must have a mean and a std for each of three channels.');
          conforms(Number.isFinite(rescale), `preprocessing.rescale must be a number, not ${rescale}.`);
        }),
    },
    {
      name: 'rejects with an AbortError when aborted, and works afterwards',
      run: () =>
        withEncoder(async (encoder) => {
          const error = await rejection('An aborted run', () => encoder.encode(two, { signal: AbortSignal.abort() }));
          conforms((error as Error).name === new AbortError().name, `The error must be an AbortError, not ${error}.`);
          await encoder.encode(two);
        }),
    },
  ];
}

/** An image encoder without a model: means of each channel and of its rows. */
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
        const picture = pixels.data.subarray(i * each, (i + 1) * each);
        return {
          embedding: means(picture, [width], 1),
          hidden: means(picture, [height, width], height),
        };
      });
    },
  };
}

/** Means over equal parts of a picture, each times 1, 2, ... over the last axis. */
function means(picture: Float32Array, dims: readonly number[], parts: number): Tensor<'float32'> {
  const out = tensor('float32', dims);
  const [length, width] = [picture.length / parts, out.data.length / parts];
  for (let part = 0; part < parts; part++) {
    const sum = picture.subarray(part * length, (part + 1) * length).reduce((total, value) => total + value, 0);
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
