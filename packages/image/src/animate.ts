import { InvalidOptionError } from '@sd/core';
import { onWhite } from './flatten.js';
import type { Pixels } from './png/encode.js';

export interface AnimateOptions {
  /** Milliseconds that a frame is shown, or one for each: 100 by default. GIF counts in tens, and browsers slow down what is under 20. */
  readonly delay?: number | readonly number[];
  /** GIF is the only one so far. */
  readonly format?: 'gif';
  /** How often to play it again after the first time; for ever by default. */
  readonly repeat?: number;
  /** Colours of each frame's own (`frame`, the default), or the same for all: smaller, and without flicker. */
  readonly palette?: 'frame' | 'global';
}

type Colour = readonly [number, number, number];
const mostColours = 256;

/**
 * Pictures of one size as an animation: the bytes of a GIF file. Where there are no more than 256 colours they are kept
 * as they are, otherwise the nearest of 256 stand for them. What is not opaque is laid on white.
 *
 * Rejects with an InvalidOptionError: `images` where there are none or their sizes differ, `delay`, `format`, `repeat`,
 * `palette`.
 */
export async function animate(images: readonly Pixels[], options: AnimateOptions = {}): Promise<Uint8Array> {
  const { format = 'gif', palette = 'frame', repeat = Infinity } = options;
  const { width, height } = checkImages(images);
  const delays = readDelays(options.delay ?? 100, images.length);
  if (format !== 'gif') throw new InvalidOptionError('format', `must be gif, not ${JSON.stringify(format)}.`);
  if (palette !== 'frame' && palette !== 'global') {
    throw new InvalidOptionError('palette', `must be frame or global, not ${JSON.stringify(palette)}.`);
  }
  if (repeat !== Infinity && !(Number.isSafeInteger(repeat) && repeat >= 0 && repeat < 65536)) {
    throw new InvalidOptionError('repeat', `must be a whole number from 0 to 65535, or Infinity, not ${repeat}.`);
  }

  const { GIFEncoder, quantize, applyPalette } = await gifenc();
  const frames = images.map((image) => onWhite(image).data);
  const coloursOf = (rgba: Uint8ClampedArray) => exactColours(rgba) ?? quantize(rgba, mostColours);
  const shared = palette === 'global' ? coloursOf(join(frames)) : undefined;
  const gif = GIFEncoder();
  frames.forEach((rgba, i) => {
    const colours = shared ?? coloursOf(rgba);
    const own = shared === undefined || i === 0 ? { palette: colours } : {};
    const index = exactIndex(rgba, colours) ?? applyPalette(rgba, colours);
    // In the file 0 is for ever, and gifenc leaves the loop out below it.
    const times = repeat === Infinity ? 0 : repeat === 0 ? -1 : repeat;
    gif.writeFrame(index, width, height, { ...own, delay: delays[i]!, repeat: times });
  });
  gif.finish();
  return gif.bytes();
}

async function gifenc() {
  const module = await import('gifenc');
  const { GIFEncoder, quantize, applyPalette } = module;
  return GIFEncoder === undefined ? module.default : { GIFEncoder, quantize, applyPalette };
}

function checkImages(images: readonly Pixels[]): Pixels {
  const [first] = images;
  if (first === undefined) throw new InvalidOptionError('images', 'there are none to animate.');
  const other = images.findIndex(({ width, height }) => width !== first.width || height !== first.height);
  if (other > 0) {
    const { width, height } = images[other]!;
    throw new InvalidOptionError(
      'images',
      `the first is ${first.width} x ${first.height} pixels, number ${other + 1} is ${width} x ${height}: enlarge or fit them to one size.`,
    );
  }
  if (first.width > 65535 || first.height > 65535) throw new InvalidOptionError('images', 'are too large for a GIF.');
  return first;
}

function readDelays(delay: number | readonly number[], count: number): readonly number[] {
  const delays = typeof delay === 'number' ? Array<number>(count).fill(delay) : delay;
  if (delays.length !== count || delays.some((value) => !(value >= 0 && value <= 655350))) {
    throw new InvalidOptionError(
      'delay',
      `must be milliseconds from 0 to 655350, one or for each of ${count} pictures.`,
    );
  }
  return delays;
}

/** All colours, where there are few enough. */
function exactColours(rgba: Uint8ClampedArray): Colour[] | undefined {
  const seen = new Map<number, Colour>();
  for (let i = 0; i < rgba.length; i += 4) {
    seen.set(keyOf(rgba, i), [rgba[i]!, rgba[i + 1]!, rgba[i + 2]!]);
    if (seen.size > mostColours) return undefined;
  }
  return [...seen.values()];
}

/** Each pixel's place in the palette, where all are there: gifenc tells colours apart by 5 and 6 bits only. */
function exactIndex(rgba: Uint8ClampedArray, palette: readonly Colour[]): Uint8Array | undefined {
  const places = new Map(palette.map((colour, i) => [keyOf(colour, 0), i]));
  const index = new Uint8Array(rgba.length / 4);
  for (let i = 0; i < index.length; i++) {
    const place = places.get(keyOf(rgba, i * 4));
    if (place === undefined) return undefined;
    index[i] = place;
  }
  return index;
}

function keyOf(colours: ArrayLike<number>, at: number): number {
  return (colours[at]! << 16) | (colours[at + 1]! << 8) | colours[at + 2]!;
}

function join(frames: readonly Uint8ClampedArray[]): Uint8ClampedArray {
  const all = new Uint8ClampedArray(frames.reduce((sum, { length }) => sum + length, 0));
  frames.reduce((at, frame) => {
    all.set(frame, at);
    return at + frame.length;
  }, 0);
  return all;
}
