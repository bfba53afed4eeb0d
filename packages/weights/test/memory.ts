import { type Source, SourceError } from '@sd/core';
import { type TensorToWrite, writeSafetensors } from '@sd/weights';

/** A source of files in memory; with `sizes: false` it cannot tell their sizes. */
export function memorySource(files: Readonly<Record<string, Uint8Array | string>>, { sizes = true } = {}): Source {
  const bytesAt = (path: string) => {
    const file = Object.hasOwn(files, path) ? files[path] : undefined;
    return typeof file === 'string' ? new TextEncoder().encode(file) : file;
  };
  return {
    name: 'memory',
    async read(path, range) {
      const bytes = bytesAt(path);
      if (bytes === undefined) throw new SourceError('not-found', path, `There is no file ${path}.`);
      return range === undefined ? bytes : bytes.subarray(range.start, range.end);
    },
    ...(sizes ? { size: async (path: string) => bytesAt(path)?.length } : {}),
  };
}

/** A float32 tensor to write. */
export function floats(name: string, shape: readonly number[], values: Iterable<number>): TensorToWrite {
  return { name, dtype: 'F32', shape, bytes: () => new Uint8Array(Float32Array.from(values).buffer) };
}

/** A whole safetensors file. */
export async function fileOf(
  tensors: readonly TensorToWrite[],
  metadata?: Readonly<Record<string, string>>,
): Promise<Uint8Array> {
  const chunks: Uint8Array[] = [];
  for await (const chunk of writeSafetensors(tensors, metadata)) chunks.push(chunk);
  return new Uint8Array(Buffer.concat(chunks));
}

/** A file with any header, valid or not, a length field of `length`, and `size` zeros of data. */
export function rawFile(header: string, { size = 0, length }: { size?: number; length?: bigint } = {}): Uint8Array {
  const json = new TextEncoder().encode(header);
  const bytes = new Uint8Array(8 + json.length + size);
  new DataView(bytes.buffer).setBigUint64(0, length ?? BigInt(json.length), true);
  bytes.set(json, 8);
  return bytes;
}
