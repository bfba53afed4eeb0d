/** In browsers the JPEG decoder fetches its own WebAssembly. */
export async function jpegDecoder(): Promise<{ wasmBinary?: Uint8Array }> {
  return {};
}
