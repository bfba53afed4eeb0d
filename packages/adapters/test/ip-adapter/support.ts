import { createNodeBackend } from '@sd/backend-node';
import { type ImageEncoder, type Source, SourceError, type Tensor, tensor } from '@sd/core';
import { type TensorToWrite, writeSafetensors } from '@sd/weights';
import { afterAll } from 'vitest';

export const backend = createNodeBackend({ threads: 1 });
afterAll(() => backend.dispose());

/** One file in memory. */
export function sourceOf(file: string, bytes: Uint8Array): Source {
  const found = (path: string) => (path === file ? bytes : undefined);
  return {
    size: async (path) => found(path)?.length,
    async read(path, range) {
      const all = found(path);
      if (all === undefined) throw new SourceError('not-found', path, `${path} does not exist.`);
      return range === undefined ? all : all.slice(range.start, range.end);
    },
  };
}

/** A safetensors file of tensors of zeros. */
export async function zeros(shapes: Readonly<Record<string, readonly number[]>>): Promise<Uint8Array> {
  const tensors = Object.entries(shapes).map(([name, shape]): TensorToWrite => {
    const length = 4 * shape.reduce((product, size) => product * size, 1);
    return { name, dtype: 'F32', shape, bytes: () => new Uint8Array(length) };
  });
  const parts: BlobPart[] = [];
  for await (const part of writeSafetensors(tensors)) parts.push(part as Uint8Array<ArrayBuffer>);
  return new Uint8Array(await new Blob(parts).arrayBuffer());
}

/** An image encoder that knows what it will say of every picture, and of zeros. */
export function encoderSaying(
  embedding: Tensor<'float32'>,
  hidden = tensor('float32', [2, 3]),
  ofZeros = hidden,
): ImageEncoder {
  return {
    preprocessing: { rescale: 1, mean: [0, 0, 0], std: [1, 1, 1] },
    async encode(pixels) {
      const said = pixels.data.some((value) => value !== 0) ? hidden : ofZeros;
      return Array.from({ length: pixels.dims[0] }, () => ({ embedding, hidden: said }));
    },
  };
}
