import type { Pixels } from './png/encode.js';

const orientationTag = 0x0112;

/** The orientation in EXIF data, a TIFF file's first directory: 1 to 8, and 1 where there is none or it is broken. */
export function orientationOf(tiff: Uint8Array): number {
  const view = new DataView(tiff.buffer, tiff.byteOffset, tiff.length);
  try {
    const little = view.getUint16(0) === 0x4949;
    const directory = view.getUint32(4, little);
    const entries = view.getUint16(directory, little);
    for (let i = 0; i < entries; i++) {
      const at = directory + 2 + 12 * i;
      if (view.getUint16(at, little) !== orientationTag) continue;
      const value = view.getUint16(at + 8, little);
      return value >= 1 && value <= 8 ? value : 1;
    }
  } catch (error) {
    if (!(error instanceof RangeError)) throw error;
  }
  return 1;
}

/** Turns and mirrors a picture as its EXIF orientation says, so that it is upright: Pillow's `exif_transpose`. */
export function upright(picture: Pixels, orientation: number): Pixels {
  if (orientation === 1) return picture;
  const { width, height } = picture;
  const lying = orientation > 4;
  const [newWidth, newHeight] = lying ? [height, width] : [width, height];
  const mirrorX = [2, 3, 7, 8].includes(orientation);
  const mirrorY = [3, 4, 6, 7].includes(orientation);
  const data = new Uint8ClampedArray(picture.data.length);
  for (let y = 0, to = 0; y < newHeight; y++) {
    for (let x = 0; x < newWidth; x++, to += 4) {
      const [column, row] = lying ? [y, x] : [x, y];
      const fromX = mirrorX ? width - 1 - column : column;
      const fromY = mirrorY ? height - 1 - row : row;
      const from = (fromY * width + fromX) * 4;
      for (let channel = 0; channel < 4; channel++) data[to + channel] = picture.data[from + channel]!;
    }
  }
  return { width: newWidth, height: newHeight, data };
}
