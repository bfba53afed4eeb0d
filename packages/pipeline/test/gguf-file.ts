import type { TensorToWrite } from '@sd/weights';
import { toFloat32, toHalf } from '@sd/weights';

/** A float32 tensor in blocks of Q8_0, and the values that they stand for. */
export interface Quantized {
  readonly name: string;
  readonly shape: readonly number[];
  readonly blocks: Uint8Array;
  readonly values: Float32Array;
}

/** Rounds values to Q8_0: for each 32 values a half-precision scale, and 8 bits each. */
export function quantized(name: string, shape: readonly number[], values: Float32Array): Quantized {
  const blocks = new Uint8Array((values.length / 32) * 34);
  const rounded = values.map((_, i) => {
    const start = i - (i % 32);
    const at = (start / 32) * 34;
    const largest = Math.max(...values.subarray(start, start + 32).map(Math.abs));
    const bits = toHalf(Float32Array.of(largest / 127));
    blocks.set(new Uint8Array(bits.buffer), at);
    const [scale] = toFloat32('F16', new Uint8Array(bits.buffer));
    const value = scale === 0 ? 0 : Math.max(-127, Math.min(127, Math.round(values[i] / scale)));
    blocks[at + 2 + (i % 32)] = value;
    return value * scale;
  });
  return { name, shape, blocks, values: rounded };
}

/** A GGUF file of version 3 with these tensors, float32 or Q8_0. */
export async function ggufFile(
  tensors: readonly (TensorToWrite | Quantized)[],
  architecture: string,
): Promise<Uint8Array> {
  const data = await Promise.all(tensors.map(async (tensor) => ('blocks' in tensor ? tensor.blocks : tensor.bytes())));
  const header = [Buffer.from('GGUF'), uint32(3), uint64(tensors.length), uint64(1)];
  header.push(text('general.architecture'), uint32(8), text(architecture));
  let offset = 0;
  tensors.forEach((tensor, i) => {
    const sizes = tensor.shape.toReversed().map(uint64);
    const type = 'blocks' in tensor ? 8 : 0;
    header.push(text(tensor.name), uint32(sizes.length), ...sizes, uint32(type), uint64(offset));
    offset += aligned(data[i].length);
  });
  const padded = data.map((bytes) => Buffer.concat([bytes, Buffer.alloc(aligned(bytes.length) - bytes.length)]));
  const start = Buffer.concat(header);
  return new Uint8Array(Buffer.concat([start, Buffer.alloc(aligned(start.length) - start.length), ...padded]));
}

const aligned = (length: number) => Math.ceil(length / 32) * 32;
const text = (value: string) => Buffer.concat([uint64(Buffer.byteLength(value)), Buffer.from(value)]);
const uint32 = (value: number) => Buffer.from(Uint32Array.of(value).buffer);
const uint64 = (value: number) => Buffer.from(BigUint64Array.of(BigInt(value)).buffer);
