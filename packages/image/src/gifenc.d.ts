/** The part of gifenc used here; the package has no types. */
declare module 'gifenc' {
  /** RGB, 0 to 255. */
  type Colour = readonly [number, number, number];

  interface Gifenc {
    GIFEncoder(): {
      /** `palette` is optional after the first frame; `delay` is in milliseconds; a `repeat` of 0 is endless. */
      writeFrame(
        index: Uint8Array,
        width: number,
        height: number,
        options: { palette?: readonly Colour[] | undefined; delay: number; repeat: number },
      ): void;
      finish(): void;
      bytes(): Uint8Array;
    };
    /** `rgba` must span its whole buffer. */
    quantize(rgba: Uint8ClampedArray, maxColours: number): Colour[];
    applyPalette(rgba: Uint8ClampedArray, palette: readonly Colour[]): Uint8Array;
  }

  /** Node loads the CommonJS build, with everything in `default`; bundlers take the ES module with named exports. */
  const gifenc: Gifenc;
  export default gifenc;
  export const GIFEncoder: Gifenc['GIFEncoder'] | undefined;
  export const quantize: Gifenc['quantize'];
  export const applyPalette: Gifenc['applyPalette'];
}
