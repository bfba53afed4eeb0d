import { InvalidOptionError, lazyImport, show } from '@sd/core';
import { compositeOnWhite } from './flatten.js';
import type { Pixels } from './pixels.js';

export interface AnimateOptions {
  /** Milliseconds per frame, or one value for each: 100 by default. GIF rounds to tens, and browsers slow down delays below 20. */
  readonly delay?: number | readonly number[];
  /** Only GIF so far. */
  readonly format?: 'gif';
  /** Repetitions after the first playthrough; endless by default. */
  readonly repeat?: number;
  /** A palette for each frame (`frame`, the default), or one for all (`global`): a smaller file without flicker. */
  readonly palette?: 'frame' | 'global';
}

type Colour = readonly [number, number, number];
const maxColours = 256;

/**
 * Encodes images of one size as an animated GIF. Up to 256 colours are kept exactly; more are mapped to the nearest of
 * 256. Transparent pixels are composited onto white.
 *
 * Rejects with an InvalidOptionError: `images` if there are none or their sizes differ; `delay`, `format`, `repeat` or
 * `palette` if out of range.
 */
export async function animate(images: readonly Pixels[], options: AnimateOptions = {}): Promise<Uint8Array> {
  const { format = 'gif', palette = 'frame', repeat = Infinity } = options;
  const { width, height } = checkImages(images);
  const delays = readDelays(options.delay ?? 100, images.length);
  if (format !== 'gif') throw new InvalidOptionError('format', `must be gif, not ${show(format)}.`);
  if (palette !== 'frame' && palette !== 'global') {
    throw new InvalidOptionError('palette', `must be frame or global, not ${show(palette)}.`);
  }
  if (repeat !== Infinity && !(Number.isSafeInteger(repeat) && repeat >= 0 && repeat < 65536)) {
    throw new InvalidOptionError('repeat', `must be a whole number from 0 to 65535, or Infinity, not ${show(repeat)}.`);
  }

  const { GIFEncoder, quantize, applyPalette } = await gifenc();
  const frames = images.map((image) => compositeOnWhite(image).data);
  const coloursOf = (rgba: Uint8ClampedArray) => exactColours(rgba) ?? quantize(rgba, maxColours);
  const shared = palette === 'global' ? coloursOf(join(frames)) : undefined;
  const gif = GIFEncoder();
  frames.forEach((rgba, i) => {
    const colours = shared ?? coloursOf(rgba);
    const indices = exactIndices(rgba, colours) ?? applyPalette(rgba, colours);
    gif.writeFrame(indices, width, height, {
      palette: shared === undefined || i === 0 ? colours : undefined,
      delay: delays[i],
      // In the file, 0 means endless; gifenc writes no loop extension for -1.
      repeat: repeat === Infinity ? 0 : repeat === 0 ? -1 : repeat,
    });
  });
  gif.finish();
  return gif.bytes();
}

async function gifenc() {
  const module = await lazyImport(() => import('gifenc'));
  const { GIFEncoder, quantize, applyPalette } = module;
  return GIFEncoder === undefined ? module.default : { GIFEncoder, quantize, applyPalette };
}

function checkImages(images: readonly Pixels[]): Pixels {
  const [first] = images;
  if (first === undefined) throw new InvalidOptionError('images', 'must not be empty: there is nothing to animate.');
  const other = images.findIndex(({ width, height }) => width !== first.width || height !== first.height);
  if (other > 0) {
    const { width, height } = images[other];
    throw new InvalidOptionError(
      'images',
      `must all have one size, but the first is ${first.width} x ${first.height} pixels and number ${other + 1} is ${width} x ${height}. Enlarge or fit them first.`,
    );
  }
  if (first.width > 65535 || first.height > 65535)
    throw new InvalidOptionError('images', 'are too large for a GIF: the most is 65535 x 65535 pixels.');
  return first;
}

function readDelays(delay: number | readonly number[], count: number): readonly number[] {
  const delays = typeof delay === 'number' ? Array<number>(count).fill(delay) : delay;
  if (delays.length !== count || delays.some((value) => !(value >= 0 && value <= 655350))) {
    throw new InvalidOptionError(
      'delay',
      `must be milliseconds from 0 to 655350: one value, or one for each of ${count} images.`,
    );
  }
  return delays;
}

/** All colours of the pixels, or undefined if a palette cannot hold them. */
function exactColours(rgba: Uint8ClampedArray): Colour[] | undefined {
  const seen = new Map<number, Colour>();
  for (let i = 0; i < rgba.length; i += 4) {
    seen.set(keyOf(rgba, i), [rgba[i], rgba[i + 1], rgba[i + 2]]);
    if (seen.size > maxColours) return undefined;
  }
  return [...seen.values()];
}

/**
 * Each pixel's index into the palette, or undefined if a colour is not in it. gifenc's own lookup compares only the upper
 * 5 or 6 bits of a channel.
 */
function exactIndices(rgba: Uint8ClampedArray, palette: readonly Colour[]): Uint8Array | undefined {
  const indexOfColour = new Map(palette.map((colour, i) => [keyOf(colour, 0), i]));
  const indices = new Uint8Array(rgba.length / 4);
  for (let i = 0; i < indices.length; i++) {
    const index = indexOfColour.get(keyOf(rgba, i * 4));
    if (index === undefined) return undefined;
    indices[i] = index;
  }
  return indices;
}

function keyOf(colours: ArrayLike<number>, at: number): number {
  return (colours[at] << 16) | (colours[at + 1] << 8) | colours[at + 2];
}

function join(frames: readonly Uint8ClampedArray[]): Uint8ClampedArray {
  const all = new Uint8ClampedArray(frames.reduce((sum, { length }) => sum + length, 0));
  frames.reduce((at, frame) => {
    all.set(frame, at);
    return at + frame.length;
  }, 0);
  return all;
}
