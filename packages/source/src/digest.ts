/** The SHA-256 of bytes that come in pieces, in hexadecimal: WebCrypto's takes them only all at once. */
export async function sha256Of(pieces: AsyncIterable<Uint8Array>): Promise<string> {
  const { sha256 } = await import('@noble/hashes/sha2.js');
  const hash = sha256.create();
  for await (const piece of pieces) hash.update(piece);
  return Array.from(hash.digest(), (byte) => byte.toString(16).padStart(2, '0')).join('');
}
