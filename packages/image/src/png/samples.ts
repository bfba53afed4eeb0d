import type { DecodedPng } from 'fast-png';
import type { Pixels } from './encode.js';

/** Gray, palette, alpha or not, of 1 to 16 bits, to RGBA of 8. Throws an Error for a colour that the palette lacks. */
export function expandPng(png: DecodedPng): Pixels {
  const { width, height, depth, channels, palette } = png;
  const samples = depth < 8 ? unpackBits(png) : png.data;
  const data = new Uint8ClampedArray(width * height * 4);
  // Of 16 bits the upper 8 are kept: 65535 is 255, and 255 is 0.
  const shift = depth === 16 ? 8 : 0;
  const scale = depth < 8 ? 255 / (2 ** depth - 1) : 1;
  const [clear, clearGreen = clear, clearBlue = clear] = png.transparency ?? [];
  const gray = channels < 3;
  for (let i = 0, from = 0, to = 0; i < width * height; i++, from += channels, to += 4) {
    const red = samples[from]!;
    if (palette !== undefined && channels === 1) {
      const colour = palette[red];
      if (colour === undefined) throw new Error(`it uses colour ${red} of a palette of ${palette.length}`);
      data.set(colour, to);
      data[to + 3] = colour[3] ?? 255;
      continue;
    }
    const green = gray ? red : samples[from + 1]!;
    const blue = gray ? red : samples[from + 2]!;
    data[to] = (red >> shift) * scale;
    data[to + 1] = (green >> shift) * scale;
    data[to + 2] = (blue >> shift) * scale;
    const isClear = red === clear && green === clearGreen && blue === clearBlue;
    data[to + 3] = channels % 2 === 0 ? samples[from + channels - 1]! >> shift : isClear ? 0 : 255;
  }
  return { width, height, data };
}

/** Samples of 1, 2 or 4 bits, each row from a byte of its own, one by one. */
function unpackBits({ width, height, depth, data }: DecodedPng): Uint8Array {
  const out = new Uint8Array(width * height);
  const row = Math.ceil((width * depth) / 8);
  const mask = 2 ** depth - 1;
  for (let y = 0; y < height; y++) {
    for (let x = 0; x < width; x++) {
      const bit = x * depth;
      out[y * width + x] = (data[y * row + (bit >> 3)]! >> (8 - depth - (bit & 7))) & mask;
    }
  }
  return out;
}
