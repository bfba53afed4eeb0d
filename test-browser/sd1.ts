import { type Source, type Tensor, type Tokens, tensor } from '@sd/core';
import { openUrl } from '@sd/source';
import { openSafetensors, toFloat32 } from '@sd/weights';
import { inject } from 'vitest';

/** The small SD 1 checkpoint, from the test's own server. */
export const openSd1 = (): Promise<Source> => openUrl(inject('sd1'), { cache: false });

/** Reads a file of figures: what diffusers computed, by name. */
export async function readFigures(source: Source, path: string): Promise<(name: string) => Tensor<'float32'>> {
  const { tensors } = await openSafetensors(source, path);
  const all = await source.read(path);
  return (name) => {
    const { dtype, shape, offset, length } = tensors.get(name)!;
    const bytes = all.slice(offset, offset + length);
    if (dtype === 'I64') return tensor('float32', shape, Float32Array.from(new BigInt64Array(bytes.buffer), Number));
    if (dtype === 'U8')
      return tensor(
        'float32',
        shape,
        Float32Array.from(bytes, (value) => value / 255),
      );
    return tensor('float32', shape, toFloat32(dtype, bytes));
  };
}

/** The largest difference of two lists, over the largest value of the second. */
export function relativeError(got: ArrayLike<number>, want: ArrayLike<number>): number {
  if (got.length !== want.length) throw new RangeError(`${got.length} values, ${want.length} expected.`);
  let difference = 0;
  let largest = 0;
  for (let i = 0; i < want.length; i++) {
    if (Number.isNaN(got[i])) return Number.NaN;
    difference = Math.max(difference, Math.abs(got[i] - want[i]));
    largest = Math.max(largest, Math.abs(want[i]));
  }
  return difference / largest;
}

/** The two prompts of the figures. */
export function goldenTokens(golden: (name: string) => Tensor<'float32'>): [Tokens, Tokens] {
  return [0, 1].map((i): Tokens => {
    const ids = Int32Array.from(golden('text.input_ids').data.subarray(i * 77, (i + 1) * 77));
    return { ids, length: ids.indexOf(1195) + 1, truncated: '' };
  }) as [Tokens, Tokens];
}
