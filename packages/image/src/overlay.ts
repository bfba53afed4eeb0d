import { expectFinite, InvalidOptionError, show } from '@sd/core';
import { canvas } from './canvas.js';
import { type SdImage, toSdImage } from './image.js';
import type { Pixels } from './pixels.js';

/** Values row by row from the top left, at any size, such as an attention map of `generate({ attentionMaps: true })`. */
export interface HeatMap {
  readonly width: number;
  readonly height: number;
  readonly data: Float32Array;
}

export interface OverlayOptions {
  /** How much of the image the hottest places cover, from 0 to 1: 0.8 by default. */
  readonly opacity?: number;
  /** The coldest and the hottest value: those of the map by default. Give the same to several maps to compare them. */
  readonly range?: readonly [coldest: number, hottest: number];
}

/**
 * Draws a heat map over an image: cold places stay as they are, hot ones turn purple, orange, then yellow. The map is scaled
 * to the image's size, linearly. Throws an InvalidOptionError for a map without values, and for options out of range; a
 * TensorError for values that are not finite.
 */
export function overlay(image: Pixels, map: HeatMap, { opacity = 0.8, range }: OverlayOptions = {}): SdImage {
  checkMap(map);
  if (!(opacity >= 0 && opacity <= 1)) {
    throw new InvalidOptionError('opacity', `must be from 0 to 1, not ${show(opacity)}.`);
  }
  const [coldest, hottest] = range ?? extremes(map.data);
  if (!(coldest <= hottest)) {
    throw new InvalidOptionError('range', `must be the coldest and the hottest value, not ${show(range)}.`);
  }
  const { width, height } = image;
  const heated = canvas(width, height);
  const heatAt = scaledTo(map, width, height);
  for (let i = 0; i < width * height; i++) {
    const value = heatAt(i % width, Math.floor(i / width));
    const heat = hottest === coldest ? 0 : Math.min(Math.max((value - coldest) / (hottest - coldest), 0), 1);
    const covered = opacity * heat;
    const colour = colourOf(heat);
    for (let channel = 0; channel < 3; channel++) {
      heated.data[i * 4 + channel] = (1 - covered) * image.data[i * 4 + channel] + covered * colour[channel];
    }
    heated.data[i * 4 + 3] = image.data[i * 4 + 3];
  }
  return toSdImage(heated);
}

function checkMap(map: HeatMap): void {
  const { width, height, data }: Partial<HeatMap> = map ?? {};
  const isFull = data instanceof Float32Array && data.length > 0 && data.length === (width ?? 0) * (height ?? 0);
  if (!isFull) {
    const given = `${show(width)} x ${show(height)} with ${show(data?.length)} values`;
    throw new InvalidOptionError('map', `must have width times height values in a Float32Array, not ${given}.`);
  }
  expectFinite('The map', data);
}

function extremes(data: Float32Array): [number, number] {
  return data.reduce<[number, number]>(
    ([least, most], value) => [Math.min(least, value), Math.max(most, value)],
    [Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY],
  );
}

/** The map's value at a pixel of an image of this size, between the centres of its places. */
function scaledTo({ width, height, data }: HeatMap, newWidth: number, newHeight: number) {
  const between = (size: number, newSize: number) => (i: number) => {
    const place = Math.min(Math.max(((i + 0.5) * size) / newSize - 0.5, 0), size - 1);
    const first = Math.floor(place);
    return { first, next: Math.min(first + 1, size - 1), part: place - first };
  };
  const [column, row] = [between(width, newWidth), between(height, newHeight)];
  return (pixelX: number, pixelY: number): number => {
    const [x, y] = [column(pixelX), row(pixelY)];
    const inRow = (line: number) => (1 - x.part) * data[line * width + x.first] + x.part * data[line * width + x.next];
    return (1 - y.part) * inRow(y.first) + y.part * inRow(y.next);
  };
}

/** The colours of matplotlib's map "inferno" at 0, a quarter, half, three quarters and 1. */
const colours = [
  [0, 0, 4],
  [87, 16, 110],
  [188, 55, 84],
  [249, 142, 9],
  [252, 255, 164],
] as const;

function colourOf(heat: number): readonly number[] {
  const place = heat * (colours.length - 1);
  const first = Math.min(Math.floor(place), colours.length - 2);
  return colours[first].map((value, i) => value + (place - first) * (colours[first + 1][i] - value));
}
