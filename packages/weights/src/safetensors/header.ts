import { CheckpointError, show, sizeOf } from '@sd/core';
import { bytesOf, type Dtype, isDtype } from './dtype.js';

/** A tensor's entry in the header: its type and shape, and where it is in the file. */
export interface TensorEntry {
  readonly name: string;
  readonly dtype: Dtype;
  readonly shape: readonly number[];
  /** First byte, from the start of the file. */
  readonly offset: number;
  /** Bytes. */
  readonly length: number;
}

export interface Header {
  readonly tensors: readonly TensorEntry[];
  readonly metadata: Readonly<Record<string, string>>;
}

/** 100 MB: the limit of the reference reader, beyond any model's header. */
const longestHeader = 100_000_000;

/** Bytes of the length field at the start of a safetensors file. */
export const lengthBytes = 8;

/**
 * Reads the header's length from the file's first eight bytes. Throws a CheckpointError if the file cannot hold it.
 * @param fileSize Bytes in the whole file.
 */
export function headerLength(file: string, start: Uint8Array, fileSize: number): number {
  if (start.length < lengthBytes || fileSize < lengthBytes) {
    throw bad(file, `is ${fileSize} bytes long, too short for a safetensors file`);
  }
  const length = new DataView(start.buffer, start.byteOffset).getBigUint64(0, true);
  if (length > BigInt(longestHeader) || Number(length) + lengthBytes > fileSize) {
    throw bad(file, `claims a header of ${length} bytes in a file of ${fileSize}`);
  }
  return Number(length);
}

/**
 * Parses a safetensors header and checks it against the file: types are known, shapes are valid, and ranges match the
 * shapes, lie inside the file and do not overlap.
 * @param json The header's bytes, after the length field.
 * @see https://github.com/huggingface/safetensors#format
 */
export function parseHeader(file: string, json: Uint8Array, fileSize: number): Header {
  const dataStart = lengthBytes + json.length;
  const dataSize = fileSize - dataStart;
  const { __metadata__: metadata = {}, ...entries } = parseObject(file, json);
  const tensors = Object.entries(entries).map(([name, entry]) => tensorEntry(file, name, entry, dataStart, dataSize));
  tensors.sort((a, b) => a.offset - b.offset || a.length - b.length);
  for (let i = 1; i < tensors.length; i++) {
    const [before, after] = [tensors[i - 1], tensors[i]];
    if (before.offset + before.length > after.offset) {
      throw bad(file, `the tensors ${before.name} and ${after.name} overlap`);
    }
  }
  return { tensors, metadata: stringsOf(metadata) };
}

function parseObject(file: string, json: Uint8Array): Record<string, unknown> {
  let value: unknown;
  try {
    value = JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(json));
  } catch (cause) {
    throw bad(file, 'its header is not JSON', cause);
  }
  if (typeof value !== 'object' || value === null || Array.isArray(value))
    throw bad(file, 'its header is not an object');
  return value as Record<string, unknown>;
}

function tensorEntry(file: string, name: string, entry: unknown, dataStart: number, dataSize: number): TensorEntry {
  const { dtype, shape, data_offsets: offsets } = (entry ?? {}) as Record<string, unknown>;
  if (!isDtype(dtype)) throw bad(file, `the tensor ${name} has the unknown type ${show(dtype)}`);
  if (!isSizes(shape)) throw bad(file, `the tensor ${name} has the invalid shape ${show(shape)}`);
  if (!isSizes(offsets) || offsets.length !== 2 || offsets[0] > offsets[1]) {
    throw bad(file, `the tensor ${name} has the invalid offsets ${show(offsets)}`);
  }
  const [start, end] = offsets;
  if (end > dataSize) {
    throw bad(file, `the tensor ${name} ends at byte ${end} of ${dataSize}: the file is truncated`);
  }
  const length = sizeOf(shape) * bytesOf[dtype];
  if (end - start !== length) {
    throw bad(
      file,
      `the tensor ${name}, ${dtype} [${shape}], needs ${length} bytes, but its offsets span ${end - start}`,
    );
  }
  return { name, dtype, shape, offset: dataStart + start, length };
}

function isSizes(value: unknown): value is number[] {
  return Array.isArray(value) && value.every((n) => Number.isSafeInteger(n) && n >= 0);
}

function stringsOf(metadata: unknown): Record<string, string> {
  if (typeof metadata !== 'object' || metadata === null) return {};
  return Object.fromEntries(Object.entries(metadata).filter(([, value]) => typeof value === 'string'));
}

function bad(file: string, problem: string, cause?: unknown): CheckpointError {
  return new CheckpointError('bad-checkpoint', file, `${problem}. Download or convert it again.`, { cause });
}
