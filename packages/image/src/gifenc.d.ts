/** The part of gifenc that is used; it comes without types. */
declare module 'gifenc' {
  /** RGB, 0 to 255. */
  type Colour = readonly [number, number, number];

  interface Gifenc {
    GIFEncoder(): {
      /** `palette` may be left out after the first frame; `delay` in milliseconds, `repeat` 0 for ever. */
      writeFrame(
        index: Uint8Array,
        width: number,
        height: number,
        options: { palette?: readonly Colour[]; delay: number; repeat: number },
      ): void;
      finish(): void;
      bytes(): Uint8Array;
    };
    /** `rgba` must fill its buffer. */
    quantize(rgba: Uint8ClampedArray, maxColours: number): Colour[];
    applyPalette(rgba: Uint8ClampedArray, palette: readonly Colour[]): Uint8Array;
  }

  /** CommonJS as Node sees it: everything is in `default`. A bundler takes the ES module, which has it by name. */
  const gifenc: Gifenc;
  export default gifenc;
  export const GIFEncoder: Gifenc['GIFEncoder'] | undefined;
  export const quantize: Gifenc['quantize'];
  export const applyPalette: Gifenc['applyPalette'];
}
