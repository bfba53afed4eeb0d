import { BinaryReader, WireType } from '@bufbuild/protobuf/wire';
import { CheckpointError } from '@sd/core';
import type { RandomAccess } from '../random-access.js';

/** Where a protobuf field is in a file, as byte offsets. */
export interface FieldPlace {
  readonly number: number;
  /** First byte of its tag. */
  readonly start: number;
  /** First byte of its value; for strings, bytes and messages, after the length. */
  readonly body: number;
  readonly end: number;
  readonly type: WireType;
}

/** Upper bound on the bytes of a tag and a length. */
const longestHead = 20;

/** The fields of a message in a file. Only their tags and lengths are read. */
export async function* fieldsInFile(file: RandomAccess, start: number, end: number): AsyncGenerator<FieldPlace> {
  let at = start;
  while (at < end) {
    const field = fieldAt(file.path, at, await file.read(at, Math.min(end, at + longestHead)));
    if (field.end > end) throw brokenOnnx(file.path, `the field at byte ${at} ends after the message around it`);
    yield field;
    at = field.end;
  }
}

function fieldAt(path: string, start: number, head: Uint8Array): FieldPlace {
  try {
    const reader = new BinaryReader(head);
    const [number, type] = reader.tag();
    if (type === WireType.LengthDelimited) {
      const length = reader.uint32();
      const body = start + reader.pos;
      return { number, start, body, end: body + length, type };
    }
    const body = start + reader.pos;
    reader.skip(type, number);
    return { number, start, body, end: start + reader.pos, type };
  } catch (cause) {
    throw brokenOnnx(path, `there is no valid field at byte ${start}`, cause);
  }
}

/** Buffers a file's reads in blocks, so that successive small reads cost one. */
export function inBlocks(file: RandomAccess, size = 2 ** 16): RandomAccess {
  let from = 0;
  let block: Uint8Array = new Uint8Array(0);
  return {
    ...file,
    async read(start, end) {
      if (start < from || end > from + block.length) {
        from = start;
        block = await file.read(start, Math.min(file.size, Math.max(end, start + size)));
        if (block.length < end - start) throw brokenOnnx(file.path, `it ends before byte ${end}`);
      }
      return block.subarray(start - from, end - from);
    },
  };
}

export function brokenOnnx(path: string, problem: string, cause?: unknown): CheckpointError {
  return new CheckpointError('bad-checkpoint', path, `is not an ONNX model, or is broken: ${problem}.`, { cause });
}
