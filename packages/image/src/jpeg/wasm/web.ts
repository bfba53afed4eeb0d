/** The JPEG decoder's WebAssembly, where the decoder does not fetch it from beside itself. */
export async function jpegDecoder(): Promise<{ wasmBinary?: Uint8Array }> {
  return {};
}
