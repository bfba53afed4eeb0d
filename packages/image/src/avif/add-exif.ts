import { bytesOfLatin1 } from '../latin1.js';
import { type Box, findBox, metaBox, versionOf, viewOf } from './boxes.js';

/** Bytes to insert at a position of a file. */
interface Insertion {
  readonly at: number;
  readonly bytes: Uint8Array;
}

/** `iloc` entries of libavif's files: item, data reference, number of extents, offset, length. */
const locationLength = 14;

/**
 * Adds EXIF data to an AVIF file that libavif wrote: an item of the `meta` box, whose contents follow the image's. Throws an
 * Error for a file of another layout.
 */
export function addExif(file: Uint8Array, exif: Uint8Array): Uint8Array<ArrayBuffer> {
  const view = viewOf(file);
  const meta = metaBox(view);
  const [primary, locations, info] = ['pitm', 'iloc', 'iinf'].map((type) => findBox(view, type, meta, 4));
  const isKnown = [primary, locations, info].every((box) => box !== undefined && versionOf(view, box) === 0);
  if (!isKnown || view.getUint16(locations!.body + 4) !== 0x4400) throw new Error('libavif wrote an unknown layout.');
  const count = view.getUint16(locations!.body + 6);
  const id = 1 + Math.max(...ids(view, locations!, count));
  const reference = box('cdsc', u16(id), u16(1), u16(view.getUint16(primary!.body + 4)));
  const references = findBox(view, 'iref', meta, 4);
  const insertions: Insertion[] = [
    { at: info!.end, bytes: box('infe', u32(0x02000000), u16(id), u16(0), bytesOfLatin1('Exif\0')) },
    references === undefined
      ? { at: meta.end, bytes: box('iref', u32(0), reference) }
      : { at: references.end, bytes: reference },
  ];
  const item = join(u32(0), exif);
  const growth = locationLength + insertions.reduce((sum, { bytes }) => sum + bytes.length, 0);
  const location = join(u16(id), u16(0), u16(1), u32(file.length + growth + 8), u32(item.length));
  insertions.push({ at: locations!.end, bytes: location });

  const changed = file.slice();
  const edit = viewOf(changed);
  moveImages(edit, locations!, count, growth);
  edit.setUint16(locations!.body + 6, count + 1);
  edit.setUint16(info!.body + 4, edit.getUint16(info!.body + 4) + 1);
  for (const { at, bytes } of insertions)
    for (const around of [meta, locations!, info!, references]) {
      if (around === undefined || at <= around.start || at > around.end) continue;
      edit.setUint32(around.start, edit.getUint32(around.start) + bytes.length);
    }
  return join(inserted(changed, insertions), box('mdat', item));
}

/** The numbers of the items. Throws an Error if one has several extents, which libavif does not write. */
function ids(view: DataView, { body }: Box, count: number): number[] {
  return Array.from({ length: count }, (_, i) => {
    const at = body + 8 + i * locationLength;
    if (view.getUint16(at + 4) !== 1) throw new Error('libavif wrote an unknown layout.');
    return view.getUint16(at);
  });
}

/** The images stand behind the `meta` box, which grows. */
function moveImages(edit: DataView, { body }: Box, count: number, growth: number): void {
  for (let i = 0; i < count; i++) {
    const at = body + 8 + i * locationLength + 6;
    edit.setUint32(at, edit.getUint32(at) + growth);
  }
}

function inserted(file: Uint8Array, insertions: readonly Insertion[]): Uint8Array {
  let done = 0;
  const parts = [...insertions]
    .sort((a, b) => a.at - b.at)
    .flatMap(({ at, bytes }) => {
      const before = file.subarray(done, at);
      done = at;
      return [before, bytes];
    });
  return join(...parts, file.subarray(done));
}

const box = (type: string, ...contents: Uint8Array[]) => {
  const body = join(...contents);
  return join(u32(8 + body.length), bytesOfLatin1(type), body);
};
const u16 = (value: number) => Uint8Array.of(value >> 8, value & 255);
const u32 = (value: number) => Uint8Array.of(value >>> 24, (value >> 16) & 255, (value >> 8) & 255, value & 255);

function join(...parts: Uint8Array[]): Uint8Array<ArrayBuffer> {
  const all = new Uint8Array(parts.reduce((sum, { length }) => sum + length, 0));
  parts.reduce((at, part) => {
    all.set(part, at);
    return at + part.length;
  }, 0);
  return all;
}
