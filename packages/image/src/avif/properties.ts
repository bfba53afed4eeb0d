import { type Box, boxes, findBox, metaBox, versionOf, viewOf } from './boxes.js';

export interface AvifHeader {
  /** The largest of the file's images, its tiles among them. */
  readonly width: number;
  readonly height: number;
  /** How the image is to be turned, as EXIF's orientation. */
  readonly orientation: number;
}

/**
 * Reads sizes and orientation from the properties of an AVIF file's items (ISO/IEC 23008-12, 6.5). EXIF's own orientation
 * does not count in this format. Throws an Error for a broken file.
 */
export function avifHeader(file: Uint8Array): AvifHeader {
  const view = viewOf(file);
  const meta = metaBox(view);
  const properties = findBox(view, 'iprp', meta, 4);
  const container = properties && findBox(view, 'ipco', properties);
  if (properties === undefined || container === undefined) throw new Error('it has no image properties');
  const all = [...boxes(view, container.body, container.end)];
  const sizes = all
    .filter(({ type }) => type === 'ispe')
    .map(({ body }) => [view.getUint32(body + 4), view.getUint32(body + 8)]);
  if (sizes.length === 0) throw new Error('it has no size');
  const own = propertiesOf(view, properties, primaryItem(view, meta)).flatMap((index) => all[index - 1] ?? []);
  return {
    width: sizes.reduce((most, [width]) => Math.max(most, width), 0),
    height: sizes.reduce((most, [, height]) => Math.max(most, height), 0),
    orientation: orientationOf(view, own),
  };
}

function primaryItem(view: DataView, meta: Box): number {
  const primary = findBox(view, 'pitm', meta, 4);
  if (primary === undefined) throw new Error('it has no primary image');
  return versionOf(view, primary) === 0 ? view.getUint16(primary.body + 4) : view.getUint32(primary.body + 4);
}

/** The numbers of an item's properties, from 1, in the order in which they apply. */
function propertiesOf(view: DataView, properties: Box, item: number): number[] {
  const found: number[] = [];
  for (const box of boxes(view, properties.body, properties.end)) {
    if (box.type !== 'ipma') continue;
    const idSize = versionOf(view, box) === 0 ? 2 : 4;
    const indexSize = (view.getUint8(box.body + 3) & 1) === 1 ? 2 : 1;
    let at = box.body + 8;
    for (let left = view.getUint32(box.body + 4); left > 0 && at < box.end; left--) {
      const id = idSize === 2 ? view.getUint16(at) : view.getUint32(at);
      const count = view.getUint8(at + idSize);
      at += idSize + 1;
      // The upper bit says whether a reader must know the property.
      for (let i = 0; i < count; i++, at += indexSize) {
        const index = indexSize === 2 ? view.getUint16(at) & 0x7fff : view.getUint8(at) & 0x7f;
        if (id === item) found.push(index);
      }
    }
  }
  return found;
}

/** EXIF orientations by quarter turns to the left, as they are and mirrored left to right after the turn. */
const turned = [1, 8, 3, 6];
const turnedThenMirrored = [2, 7, 4, 5];

/** Files turn before they mirror. */
function orientationOf(view: DataView, properties: readonly Box[]): number {
  const turn = properties.find(({ type }) => type === 'irot');
  const mirror = properties.find(({ type }) => type === 'imir');
  const quarters = turn === undefined ? 0 : view.getUint8(turn.body) & 3;
  if (mirror === undefined) return turned[quarters];
  // Mirrored top to bottom is mirrored left to right and turned by a half.
  const isUpsideDown = (view.getUint8(mirror.body) & 1) === 0;
  return turnedThenMirrored[(quarters + (isUpsideDown ? 2 : 0)) % 4];
}
