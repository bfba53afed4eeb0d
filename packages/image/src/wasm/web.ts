/** In browsers a codec fetches its own WebAssembly. */
export async function codecWasm(_file: string): Promise<{ wasmBinary?: Uint8Array }> {
  return {};
}
