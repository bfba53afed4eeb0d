/** Identifies a file by its first bytes, in words for an error message. */
export function kindOfFile(bytes: Uint8Array): string {
  if (bytes.length === 0) return 'nothing: there are no bytes';
  const found = kinds.find(([, magic, at = 0]) => [...magic].every((c, i) => bytes[at + i] === c.charCodeAt(0)));
  if (found !== undefined) return found[0];
  const start = [...bytes.subarray(0, 4)].map((byte) => byte.toString(16).padStart(2, '0')).join(' ');
  return `${bytes.length} bytes of no known kind that begin with ${start}`;
}

/** Names, magic numbers as Latin-1, and their offsets. */
const kinds: readonly (readonly [name: string, magic: string, offset?: number])[] = [
  ['a PNG file', '\x89PNG\r\n\x1a\n'],
  ['a JPEG file', '\xff\xd8\xff'],
  ['a WebP file', 'WEBP', 8],
  ['a GIF file', 'GIF8'],
  ['a BMP file', 'BM'],
  ['a TIFF file', 'II*\0'],
  ['a TIFF file', 'MM\0*'],
  ['an AVIF file', 'ftypavif', 4],
  ['a HEIC file', 'ftyphei', 4],
  ['a HEIC file', 'ftypmif1', 4],
  ['a JPEG XL file', '\xff\x0a'],
  ['a JPEG XL file', '\0\0\0\x0cJXL '],
  ['a JPEG 2000 file', '\0\0\0\x0cjP  '],
  ['an SVG file', '<svg'],
  ['XML or HTML', '<'],
  ['a PDF file', '%PDF'],
  ['a data URL: decode its Base64 first', 'data:'],
];
