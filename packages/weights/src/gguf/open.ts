import { type Source, sizeOf, UnsupportedError } from '@sd/core';
import { convertedView, graphView } from '../graph-view.js';
import { randomAccess } from '../random-access.js';
import { bytesOf, type Dtype } from '../safetensors/dtype.js';
import type { TensorView } from '../safetensors/tensor-view.js';
import { weightFile } from '../weight-file.js';
import { type BlockType, blockTypes } from './blocks.js';
import { broken, type GgufHeader, type GgufTensor, readGgufHeader } from './header.js';

/** ggml's types by their numbers: a number type of safetensors, or the name of a type of blocks. */
const types: Readonly<Record<number, string>> = {
  0: 'F32',
  1: 'F16',
  2: 'Q4_0',
  3: 'Q4_1',
  6: 'Q5_0',
  7: 'Q5_1',
  8: 'Q8_0',
  10: 'Q2_K',
  11: 'Q3_K',
  12: 'Q4_K',
  13: 'Q5_K',
  14: 'Q6_K',
  24: 'I8',
  25: 'I16',
  26: 'I32',
  27: 'I64',
  28: 'F64',
  30: 'BF16',
};

export interface GgufFile {
  /** As graphs take them: blocks of small integers are views that are converted to float32 when they are read. */
  readonly tensors: ReadonlyMap<string, TensorView>;
  /** The texts and numbers of its header, such as `general.architecture`. */
  readonly metadata: Readonly<Record<string, string>>;
}

/**
 * Opens a GGUF file, as stable-diffusion.cpp and ComfyUI-GGUF write them. Reads the header alone. Throws a CheckpointError
 * for a broken file, and an UnsupportedError that names a type of blocks that cannot be read.
 */
export async function openGguf(source: Source, path: string): Promise<GgufFile> {
  const access = await randomAccess(source, path);
  const header = await readGgufHeader(access);
  const file = await weightFile(source, path, access.size);
  const tensors = header.tensors.map((tensor): [string, TensorView] => {
    const { name } = tensor;
    const type = types[tensor.type];
    const place = { name, shape: shapeOf(tensor, header), file, offset: header.dataStart + tensor.offset };
    const isNumber = type !== undefined && Object.hasOwn(bytesOf, type);
    const view = isNumber ? numbers(place, type as Dtype) : blocksOf(path, place, tensor.type);
    if (view.offset + view.length > access.size) {
      throw broken(path, `the tensor ${name} ends past the file: it is truncated`);
    }
    return [name, view.stored === undefined ? graphView(name, view) : converted(view, view.stored)];
  });
  const metadata = [...header.metadata].filter(([, value]) => !Array.isArray(value));
  return {
    tensors: new Map(tensors),
    metadata: Object.fromEntries(metadata.map(([key, value]) => [key, String(value)])),
  };
}

type Place = Pick<TensorView, 'name' | 'shape' | 'file' | 'offset'>;

/** ComfyUI-GGUF stores some tensors in other shapes, so that their rows are whole blocks. */
function shapeOf({ name, shape }: GgufTensor, { metadata }: GgufHeader): readonly number[] {
  const original = metadata.get(`comfy.gguf.orig_shape.${name}`);
  return Array.isArray(original) && sizeOf(original) === sizeOf(shape) ? original : shape;
}

const numbers = (place: Place, dtype: Dtype): TensorView => ({
  ...place,
  dtype,
  length: sizeOf(place.shape) * bytesOf[dtype],
});

/** A tensor of blocks, before its values are converted. */
function blocksOf(path: string, place: Place, type: number): TensorView {
  const { name, shape } = place;
  const stored = types[type];
  const block = stored === undefined ? undefined : blockTypes[stored];
  if (stored === undefined || block === undefined) {
    throw new UnsupportedError(
      `${path}: the tensor ${name} has ggml's type ${type}, which is not supported. Supported are F32, F16, BF16, Q8_0, Q4_0 to Q5_1 and Q2_K to Q6_K.`,
    );
  }
  const blocks = sizeOf(shape) / block.count;
  if (!Number.isInteger(blocks)) throw broken(path, `the tensor ${name} of ${stored} does not consist of whole blocks`);
  return { ...place, dtype: 'F32', stored, length: blocks * block.bytes };
}

function converted(view: TensorView, type: string): TensorView {
  const block = blockTypes[type];
  return convertedView(view.name, view, {
    dtype: 'F32',
    unit: block.bytes,
    convert: (bytes) => decoded(block, bytes),
  });
}

function decoded({ count, bytes: size, decode }: BlockType, bytes: Uint8Array): Float32Array {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  const blocks = bytes.length / size;
  const values = new Float32Array(blocks * count);
  for (let i = 0; i < blocks; i++) decode(view, i * size, values.subarray(i * count, (i + 1) * count));
  return values;
}
