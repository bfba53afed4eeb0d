import { type Source, UnsupportedError } from '@sd/core';
import { convertedFile } from '../weight-file.js';
import type { TensorView } from './tensor-view.js';
import { float8ToHalf, isFloat8 } from './widen.js';

/** Puts each tensor of a file with 8-bit floats into a file of its own, so that only those in use are read and widened. */
export function widened(
  source: Source,
  path: string,
  tensors: ReadonlyMap<string, TensorView>,
): ReadonlyMap<string, TensorView> {
  const scaled = [...tensors.keys()].find((name) => /(^|\.)(scaled_fp8|scale_weight|weight_scale)$/.test(name));
  if (scaled !== undefined) {
    throw new UnsupportedError(`${path}: its 8-bit floats have scales (${scaled}), which are not supported.`);
  }
  return new Map([...tensors].map(([name, view]) => [name, ownFile(source, path, view)]));
}

function ownFile(source: Source, path: string, view: TensorView): TensorView {
  const { name, dtype, offset, length } = view;
  const range = { name, start: offset, end: offset + length };
  if (!isFloat8(dtype)) {
    return { ...view, file: convertedFile(source, path, range, (bytes) => bytes), offset: 0 };
  }
  const file = convertedFile(source, path, range, (bytes) => float8ToHalf(dtype, bytes));
  return { ...view, dtype: 'F16', file, offset: 0, length: 2 * length };
}
