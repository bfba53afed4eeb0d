/** One of the modules in this folder, chosen by the `imports` of package.json. */
declare module '#jpeg-wasm' {
  export const jpegDecoder: typeof import('./web.js').jpegDecoder;
}
