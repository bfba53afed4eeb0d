import { latin1Of } from '../latin1.js';

/** A box of an ISO base media file (ISO/IEC 14496-12, 4.2). Positions are those in the file. */
export interface Box {
  readonly type: string;
  readonly start: number;
  /** Where the contents begin. */
  readonly body: number;
  readonly end: number;
}

/** A view of a file. Reading past its end throws a RangeError. */
export function viewOf(file: Uint8Array): DataView {
  return new DataView(file.buffer, file.byteOffset, file.length);
}

/** The boxes from one position to another. Throws a RangeError for one that extends past the end. */
export function* boxes(view: DataView, from: number, end: number): Generator<Box> {
  for (let start = from; start + 8 <= end; ) {
    const size = view.getUint32(start);
    const isLarge = size === 1;
    const length = isLarge ? Number(view.getBigUint64(start + 8)) : size === 0 ? end - start : size;
    const body = start + (isLarge ? 16 : 8);
    if (body > start + length || start + length > end) throw new RangeError('a box extends past the end');
    yield { type: typeAt(view, start + 4), start, body, end: start + length };
    start += length;
  }
}

/** The first box of a type, undefined if there is none. `skip` is the length of what comes before the boxes. */
export function findBox(view: DataView, type: string, within: Pick<Box, 'body' | 'end'>, skip = 0): Box | undefined {
  for (const box of boxes(view, within.body + skip, within.end)) if (box.type === type) return box;
  return undefined;
}

export function typeAt(view: DataView, at: number): string {
  return latin1Of(new Uint8Array(view.buffer, view.byteOffset, view.byteLength).subarray(at, at + 4));
}

/** The version of a full box, before its three bytes of flags. */
export const versionOf = (view: DataView, { body }: Box): number => view.getUint8(body);

/** The file's `meta` box. Throws an Error if it has none. */
export function metaBox(view: DataView): Box {
  const meta = findBox(view, 'meta', { body: 0, end: view.byteLength });
  if (meta === undefined) throw new Error('it has no meta box');
  return meta;
}
