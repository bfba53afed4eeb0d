import { type Box, boxes, findBox, metaBox, typeAt, versionOf, viewOf } from './boxes.js';

/** The most parts that a file may keep an item in; ordinary files have one. */
const maxExtents = 16;

/**
 * The EXIF data of an AVIF file; undefined if there is none. Throws an Error for a broken file.
 * Follows ISO/IEC 23008-12, A.2.1, and ISO/IEC 14496-12, 8.11.
 */
export function findExif(file: Uint8Array): Uint8Array | undefined {
  const view = viewOf(file);
  const meta = metaBox(view);
  const id = exifItem(view, meta);
  const location = id === undefined ? undefined : findBox(view, 'iloc', meta, 4);
  if (id === undefined || location === undefined) return undefined;
  const { extents, isInMeta } = locate(view, location, id);
  const data = isInMeta ? findBox(view, 'idat', meta, 4) : { body: 0, end: file.length };
  if (data === undefined) throw new Error('its EXIF data is missing');
  const parts = extents.map(({ offset, length }) => {
    if (data.body + offset + length > data.end) throw new Error('its EXIF data is cut off');
    return file.subarray(data.body + offset, data.body + offset + length);
  });
  const item = parts.length === 1 ? parts[0] : Uint8Array.from(parts.flatMap((part) => [...part]));
  // Four bytes say how far behind them the data begins, as for the mark that JPEG files have.
  return item.subarray(4 + viewOf(item).getUint32(0));
}

/** The number of the item of type `Exif`. */
function exifItem(view: DataView, meta: Box): number | undefined {
  const info = findBox(view, 'iinf', meta, 4);
  if (info === undefined) return undefined;
  const first = info.body + 4 + (versionOf(view, info) === 0 ? 2 : 4);
  for (const entry of boxes(view, first, info.end)) {
    const version = versionOf(view, entry);
    if (entry.type !== 'infe' || version < 2) continue;
    const at = entry.body + 4;
    const isLong = version > 2;
    if (typeAt(view, at + (isLong ? 6 : 4)) === 'Exif') return isLong ? view.getUint32(at) : view.getUint16(at);
  }
  return undefined;
}

interface ItemLocation {
  readonly extents: readonly { readonly offset: number; readonly length: number }[];
  /** Whether offsets are those within the `idat` box rather than within the file. */
  readonly isInMeta: boolean;
}

/** Reads an item's entry of the `iloc` box. Throws an Error if there is none. */
function locate(view: DataView, box: Box, wanted: number): ItemLocation {
  const version = versionOf(view, box);
  let at = box.body + 4;
  const number = (size: number): number => {
    at += size;
    if (size === 8) return Number(view.getBigUint64(at - 8));
    return size === 4 ? view.getUint32(at - 4) : size === 2 ? view.getUint16(at - 2) : 0;
  };
  const sizes = number(2);
  const [offsetSize, lengthSize, baseSize] = [sizes >> 12, (sizes >> 8) & 15, (sizes >> 4) & 15];
  const indexSize = version === 0 ? 0 : sizes & 15;
  const idSize = version < 2 ? 2 : 4;
  for (let left = number(idSize); left > 0 && at < box.end; left--) {
    const id = number(idSize);
    const isInMeta = version > 0 && (number(2) & 15) === 1;
    number(2);
    const base = number(baseSize);
    const count = number(2);
    if (id !== wanted) {
      at += count * (indexSize + offsetSize + lengthSize);
      continue;
    }
    if (count > maxExtents) throw new Error('its EXIF data is in too many parts');
    const extents = Array.from({ length: count }, () => {
      number(indexSize);
      return { offset: base + number(offsetSize), length: number(lengthSize) };
    });
    return { extents, isInMeta };
  }
  throw new Error('its EXIF data is missing');
}
