/** One of the modules in this folder, chosen by the `imports` of package.json. */
declare module '#codec-wasm' {
  export const codecWasm: typeof import('./web.js').codecWasm;
}
