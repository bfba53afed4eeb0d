import type { Pixels } from '@sd/image';

export interface GoldenPixels {
  readonly width: number;
  readonly height: number;
  /** Base64. */
  readonly rgba: string;
}

export function bytesOf(base64: string): Uint8Array<ArrayBuffer> {
  return Uint8Array.from(atob(base64), (character) => character.charCodeAt(0));
}

export function pixelsOf({ width, height, rgba }: GoldenPixels): Pixels {
  return { width, height, data: bytesOf(rgba) };
}

/** Pixels with a plain array, which compares and prints well. */
export function plain({ width, height, data }: Pixels) {
  return { width, height, data: [...data] };
}

export function largestDifference(got: ArrayLike<number>, want: ArrayLike<number>): number {
  if (got.length !== want.length) throw new RangeError(`Got ${got.length} values, expected ${want.length}.`);
  let largest = 0;
  for (let i = 0; i < want.length; i++) largest = Math.max(largest, Math.abs(got[i] - want[i]));
  return largest;
}

/** An image's colours, without alpha. */
export function rgbOf({ data }: Pick<Pixels, 'data'>): number[] {
  return Array.from(data).filter((_, i) => i % 4 !== 3);
}
