import type { TensorView } from './safetensors/tensor-view.js';
import { toFloat32 } from './safetensors/values.js';
import type { WeightsFile } from './weights.js';

/** A tensor's values. Of a file that can be read in parts, only its bytes are read. */
export async function readValues(
  { source, path }: Pick<WeightsFile, 'source' | 'path'>,
  { file, offset, length, dtype }: TensorView,
  signal?: AbortSignal,
): Promise<Float32Array> {
  const end = offset + length;
  const inPlace = source.size !== undefined && (file.path !== undefined || file.location === path);
  const bytes = inPlace
    ? await source.read(path, { start: offset, end }, signal)
    : (await file.read(signal)).subarray(offset, end);
  return toFloat32(dtype, bytes);
}
