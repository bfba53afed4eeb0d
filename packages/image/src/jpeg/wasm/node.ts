/** Loads the JPEG decoder's WebAssembly from disk, since Node's fetch cannot read files. */
export async function jpegDecoder(): Promise<{ wasmBinary?: Uint8Array }> {
  const builtin = globalThis.process.getBuiltinModule;
  const { resolve } = builtin('node:module').createRequire(import.meta.url);
  return {
    wasmBinary: await builtin('node:fs/promises').readFile(resolve('@jsquash/jpeg/codec/dec/mozjpeg_dec.wasm')),
  };
}
