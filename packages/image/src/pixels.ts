/** RGBA pixels, 8 bits per channel, row by row from the top left. A browser's ImageData is one. */
export interface Pixels {
  readonly width: number;
  readonly height: number;
  readonly data: Uint8ClampedArray | Uint8Array;
}
