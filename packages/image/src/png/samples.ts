import type { DecodedPng } from 'fast-png';
import type { Pixels } from '../pixels.js';

/** Converts samples of any colour type and depth to 8-bit RGBA. Throws an Error for an index outside of the palette. */
export function expandPng(png: DecodedPng): Pixels {
  const { width, height, depth, channels, palette } = png;
  const samples = depth < 8 ? unpackBits(png) : png.data;
  const data = new Uint8ClampedArray(width * height * 4);
  // 16-bit samples keep their upper 8 bits: 65535 becomes 255, and 255 becomes 0.
  const shift = depth === 16 ? 8 : 0;
  const scale = depth < 8 ? 255 / (2 ** depth - 1) : 1;
  const [clearRed, clearGreen = clearRed, clearBlue = clearRed] = png.transparency ?? [];
  const isGray = channels < 3;
  for (let i = 0, from = 0, to = 0; i < width * height; i++, from += channels, to += 4) {
    const red = samples[from];
    if (palette !== undefined && channels === 1) {
      const colour = palette[red];
      if (colour === undefined) throw new Error(`it uses colour ${red} of a palette of ${palette.length}`);
      data.set(colour, to);
      data[to + 3] = colour[3] ?? 255;
      continue;
    }
    const green = isGray ? red : samples[from + 1];
    const blue = isGray ? red : samples[from + 2];
    data[to] = (red >> shift) * scale;
    data[to + 1] = (green >> shift) * scale;
    data[to + 2] = (blue >> shift) * scale;
    const isTransparent = red === clearRed && green === clearGreen && blue === clearBlue;
    data[to + 3] = channels % 2 === 0 ? samples[from + channels - 1] >> shift : isTransparent ? 0 : 255;
  }
  return { width, height, data };
}

/** Expands samples of 1, 2 or 4 bits to a byte each. Every row starts on a byte. */
function unpackBits({ width, height, depth, data }: DecodedPng): Uint8Array {
  const out = new Uint8Array(width * height);
  const row = Math.ceil((width * depth) / 8);
  const mask = 2 ** depth - 1;
  for (let y = 0; y < height; y++) {
    for (let x = 0; x < width; x++) {
      const bit = x * depth;
      out[y * width + x] = (data[y * row + (bit >> 3)] >> (8 - depth - (bit & 7))) & mask;
    }
  }
  return out;
}
