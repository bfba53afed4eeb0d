import type { WeightFile } from '@sd/core';
import { CheckpointError, sizeOf, UnsupportedError } from '@sd/core';
import { bytesOf, isGraphType } from './safetensors/dtype.js';
import { isFloat8 } from './safetensors/float8.js';
import { toHalf } from './safetensors/half.js';
import type { TensorView } from './safetensors/tensor-view.js';
import { toFloat32 } from './safetensors/values.js';
import { isSourceFile } from './weight-file.js';

/** Bytes that are read and converted at once: a tensor is never held twice. */
const pieceLength = 2 ** 25;

/**
 * A tensor as graphs take it: F32, F16 and BF16 as they are, 8-bit floats as the same values in F16, and all other types
 * rounded to F32 when a graph is loaded. `name` distinguishes its file from others.
 */
export function graphView(name: string, view: TensorView): TensorView {
  if (isGraphType(view.dtype)) return view;
  const isSmall = isFloat8(view.dtype);
  return convertedView(
    name,
    { ...view, stored: view.dtype },
    {
      dtype: isSmall ? 'F16' : 'F32',
      unit: bytesOf[view.dtype],
      convert(bytes) {
        const values = toFloat32(view.dtype, bytes);
        return isSmall ? toHalf(values) : values;
      },
    },
  );
}

export interface Conversion {
  /** The type of the values. */
  readonly dtype: 'F32' | 'F16';
  /** Bytes of the file that are converted independently of others. */
  readonly unit: number;
  convert(bytes: Uint8Array): Float32Array | Uint16Array;
}

/** A tensor over another's bytes, which are converted a piece at a time when a graph is loaded. */
export function convertedView(name: string, view: TensorView, { dtype, unit, convert }: Conversion): TensorView {
  const length = sizeOf(view.shape) * bytesOf[dtype];
  const file: WeightFile = {
    location: `${view.file.location}/${name}.${dtype}`,
    async read(signal) {
      const result = roomFor(view, length);
      let at = 0;
      for await (const bytes of pieces(view, unit, signal)) {
        const { buffer, byteOffset, byteLength } = convert(bytes);
        result.set(new Uint8Array(buffer, byteOffset, byteLength), at);
        at += byteLength;
      }
      return result;
    },
  };
  return { ...view, dtype, file, offset: 0, length };
}

/** Memory for a tensor. Throws a CheckpointError if there is not enough, or if no array can have so many bytes. */
function roomFor({ name, file }: TensorView, length: number): Uint8Array<ArrayBuffer> {
  try {
    return new Uint8Array(length);
  } catch (cause) {
    const message = `has the tensor ${name}, which takes ${length} bytes of memory; there is no room for them.`;
    throw new CheckpointError('bad-checkpoint', file.location, message, { cause, tensor: name });
  }
}

/** A tensor's bytes in order, in pieces of whole units if its file can be read in ranges. */
async function* pieces({ file, offset, length }: TensorView, unit: number, signal: AbortSignal | undefined) {
  if (!isSourceFile(file)) {
    yield (await file.read(signal)).subarray(offset, offset + length);
    return;
  }
  const step = Math.floor(pieceLength / unit) * unit;
  for (let at = 0; at < length; at += step) {
    yield await file.readRange(offset + at, offset + Math.min(length, at + step), signal);
  }
}

/** Ways of storing weights as small numbers whose values are elsewhere in the file, by names of tensors. */
const quantized: readonly (readonly [what: string, name: RegExp])[] = [
  ['its 8-bit floats have scales', /(^|\.)(scaled_fp8|scale_weight)$/],
  ['its weights have scales', /(^|\.)(weight_scale(_2)?|comfy_quant)$/],
  ['its weights were quantized by bitsandbytes', /\.(SCB|weight_format|absmax|quant_map|quant_state\.\w+)$/],
  ['its weights were quantized by GPTQ or AWQ', /\.(qweight|qzeros)$/],
  ['its weights were quantized by Quanto', /\.weight\.?_(data|scale)$|\.weight_qtype$/],
];

/** Throws an UnsupportedError for a file whose numbers are not the weights themselves, but indices or multiples of them. */
export function refuseQuantized(path: string, names: Iterable<string>): void {
  for (const name of names) {
    const found = quantized.find(([, pattern]) => pattern.test(name));
    if (found !== undefined) {
      throw new UnsupportedError(
        `${path}: ${found[0]} (${name}). Quantized weights are not supported: use a version in float16 or float32.`,
      );
    }
  }
}
