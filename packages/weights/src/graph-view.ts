import type { WeightFile } from '@sd/core';
import { sizeOf, UnsupportedError } from '@sd/core';
import { bytesOf, isGraphType } from './safetensors/dtype.js';
import { isFloat8 } from './safetensors/float8.js';
import { toHalf } from './safetensors/half.js';
import type { TensorView } from './safetensors/tensor-view.js';
import { toFloat32 } from './safetensors/values.js';
import { isSourceFile } from './weight-file.js';

/** Values that are read and converted at once: a tensor is never held twice. */
const pieceLength = 2 ** 22;

/**
 * A tensor as graphs take it: F32, F16 and BF16 as they are, 8-bit floats as the same values in F16, and all other types
 * rounded to F32 when a graph is loaded. `name` tells its file from others.
 */
export function graphView(name: string, view: TensorView): TensorView {
  if (isGraphType(view.dtype)) return view;
  const dtype = isFloat8(view.dtype) ? 'F16' : 'F32';
  const length = sizeOf(view.shape) * bytesOf[dtype];
  const file: WeightFile = {
    location: `${view.file.location}/${name}.${dtype}`,
    async read(signal) {
      const result = new Uint8Array(length);
      let at = 0;
      for await (const bytes of pieces(view, signal)) {
        const values = toFloat32(view.dtype, bytes);
        const converted = dtype === 'F16' ? toHalf(values) : values;
        result.set(new Uint8Array(converted.buffer, converted.byteOffset, converted.byteLength), at);
        at += converted.byteLength;
      }
      return result;
    },
  };
  return { ...view, dtype, stored: view.dtype, file, offset: 0, length };
}

/** A tensor's bytes in order, a piece at a time if its file can be read in ranges. */
async function* pieces({ file, dtype, offset, length }: TensorView, signal: AbortSignal | undefined) {
  if (!isSourceFile(file)) {
    yield (await file.read(signal)).subarray(offset, offset + length);
    return;
  }
  const step = pieceLength * bytesOf[dtype];
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
