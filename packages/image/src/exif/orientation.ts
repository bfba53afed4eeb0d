import type { Pixels } from '../pixels.js';

const orientationTag = 0x0112;

/** Reads the orientation, 1 to 8, from EXIF data (the first directory of a TIFF file); 1 if it is missing or broken. */
export function readOrientation(tiff: Uint8Array): number {
  const view = new DataView(tiff.buffer, tiff.byteOffset, tiff.length);
  try {
    const littleEndian = view.getUint16(0) === 0x4949;
    const directory = view.getUint32(4, littleEndian);
    const entries = view.getUint16(directory, littleEndian);
    for (let i = 0; i < entries; i++) {
      const at = directory + 2 + 12 * i;
      if (view.getUint16(at, littleEndian) !== orientationTag) continue;
      const value = view.getUint16(at + 8, littleEndian);
      return value >= 1 && value <= 8 ? value : 1;
    }
  } catch (error) {
    if (!(error instanceof RangeError)) throw error;
  }
  return 1;
}

/** Rotates and mirrors an image upright by its EXIF orientation, as Pillow's `exif_transpose` does. */
export function applyOrientation(image: Pixels, orientation: number): Pixels {
  if (orientation === 1) return image;
  const { width, height } = image;
  const isSideways = orientation > 4;
  const [newWidth, newHeight] = isSideways ? [height, width] : [width, height];
  const mirrorX = [2, 3, 7, 8].includes(orientation);
  const mirrorY = [3, 4, 6, 7].includes(orientation);
  const data = new Uint8ClampedArray(image.data.length);
  for (let y = 0, to = 0; y < newHeight; y++) {
    for (let x = 0; x < newWidth; x++, to += 4) {
      const [column, row] = isSideways ? [y, x] : [x, y];
      const fromX = mirrorX ? width - 1 - column : column;
      const fromY = mirrorY ? height - 1 - row : row;
      const from = (fromY * width + fromX) * 4;
      for (let channel = 0; channel < 4; channel++) data[to + channel] = image.data[from + channel];
    }
  }
  return { width: newWidth, height: newHeight, data };
}
