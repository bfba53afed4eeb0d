/** Reads a codec's WebAssembly, such as `@jsquash/webp/codec/dec/webp_dec.wasm`, from disk: Node's fetch cannot. */
export async function codecWasm(file: string): Promise<{ wasmBinary?: Uint8Array }> {
  const builtin = globalThis.process.getBuiltinModule;
  const { resolve } = builtin('node:module').createRequire(import.meta.url);
  return { wasmBinary: await builtin('node:fs/promises').readFile(resolve(file)) };
}
