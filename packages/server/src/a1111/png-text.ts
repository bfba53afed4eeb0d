/** The signature and the header of a PNG file. */
const headBytes = 8 + 25;
const texts = new Set(['tEXt', 'iTXt', 'zTXt']);

/** A PNG file with the text chunks of another, such as the settings that it was made with. */
export function copyText(from: Uint8Array, to: Uint8Array): Uint8Array {
  const view = new DataView(from.buffer, from.byteOffset, from.length);
  const chunks: Uint8Array[] = [];
  for (let at = headBytes; at + 12 <= from.length; ) {
    const length = view.getUint32(at) + 12;
    const type = String.fromCharCode(...from.subarray(at + 4, at + 8));
    if (texts.has(type)) chunks.push(from.subarray(at, at + length));
    at += length;
  }
  return Buffer.concat([to.subarray(0, headBytes), ...chunks, to.subarray(headBytes)]);
}
