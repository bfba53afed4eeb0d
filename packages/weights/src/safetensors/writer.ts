import { sizeOf } from '@sd/core';
import { bytesOf, type Dtype } from './dtype.js';
import { lengthBytes } from './header.js';

/** A tensor to write. `bytes()` is called only when the writer reaches it, so a file may be larger than memory. */
export interface TensorToWrite {
  readonly name: string;
  readonly dtype: Dtype;
  readonly shape: readonly number[];
  bytes(): Uint8Array | Promise<Uint8Array>;
}

/**
 * Yields a safetensors file in chunks: the header, padded so that the data is aligned to eight bytes, then each tensor.
 * Throws a RangeError if two tensors share a name or a tensor's bytes do not fill its shape.
 */
export async function* writeSafetensors(
  tensors: readonly TensorToWrite[],
  metadata: Readonly<Record<string, string>> = { format: 'pt' },
): AsyncGenerator<Uint8Array, void, void> {
  yield headerBytes(tensors, metadata);
  for (const tensor of tensors) {
    const bytes = await tensor.bytes();
    if (bytes.length !== byteLength(tensor)) {
      throw new RangeError(
        `${tensor.name}: got ${bytes.length} bytes, but [${tensor.shape}] takes ${byteLength(tensor)}.`,
      );
    }
    yield bytes;
  }
}

function headerBytes(tensors: readonly TensorToWrite[], metadata: Readonly<Record<string, string>>): Uint8Array {
  const entries = new Map<string, unknown>([['__metadata__', metadata]]);
  let end = 0;
  for (const tensor of tensors) {
    const start = end;
    end += byteLength(tensor);
    if (entries.has(tensor.name)) throw new RangeError(`Two entries are named ${tensor.name}: names must be unique.`);
    entries.set(tensor.name, { dtype: tensor.dtype, shape: tensor.shape, data_offsets: [start, end] });
  }
  const json = new TextEncoder().encode(JSON.stringify(Object.fromEntries(entries)));
  const length = Math.ceil(json.length / 8) * 8;
  const bytes = new Uint8Array(lengthBytes + length).fill(' '.charCodeAt(0));
  new DataView(bytes.buffer).setBigUint64(0, BigInt(length), true);
  bytes.set(json, lengthBytes);
  return bytes;
}

function byteLength({ dtype, shape }: TensorToWrite): number {
  return sizeOf(shape) * bytesOf[dtype];
}
