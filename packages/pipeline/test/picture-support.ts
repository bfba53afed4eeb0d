import type { Pixels } from '../src/index.js';

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

/** Pixels whose bytes print and compare as plain numbers. */
export function plain({ width, height, data }: Pixels) {
  return { width, height, data: [...data] };
}
