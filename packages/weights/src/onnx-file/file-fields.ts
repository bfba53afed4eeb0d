import { BinaryReader, WireType } from '@bufbuild/protobuf/wire';
import { CheckpointError } from '@sd/core';
import type { RandomAccess } from '../pickle/random-access.js';

/** Where a field lies in a file. */
export interface FieldPlace {
  readonly number: number;
  /** From its tag on. */
  readonly start: number;
  /** From what it holds on: of a text, bytes or a message, behind its length. */
  readonly body: number;
  readonly end: number;
  readonly type: WireType;
}

/** A tag and a length are no longer than this. */
const longestHead = 20;

/** The fields of a message that lies in a file, of which no more is read than it takes to find them. */
export async function* fieldsInFile(file: RandomAccess, start: number, end: number): AsyncGenerator<FieldPlace> {
  let at = start;
  while (at < end) {
    const place = fieldAt(file.path, at, await file.read(at, Math.min(end, at + longestHead)));
    if (place.end > end) throw brokenOnnx(file.path, `a field at byte ${at} ends behind what it is in`);
    yield place;
    at = place.end;
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
    throw brokenOnnx(path, `it makes no sense at byte ${start}`, cause);
  }
}

/** A file in whose place a block is kept, so that small reads that follow one another are one. */
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
  return new CheckpointError('bad-checkpoint', path, `is no ONNX model, or a broken one: ${problem}.`, { cause });
}
