/** Either of the modules in this folder, as the `imports` of package.json say. */
declare module '#jpeg-wasm' {
  export const jpegDecoder: typeof import('./web.js').jpegDecoder;
}
