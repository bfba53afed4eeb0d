import type { SettingsTexts } from '../formats/format.js';
import { bytesOfLatin1, latin1Of } from '../latin1.js';

const tags = { make: 0x010f, model: 0x0110, description: 0x010e, exif: 0x8769, userComment: 0x9286 };
const unicode = 'UNICODE\0';
const codeLength = unicode.length;
/** Offsets in a file of one directory with one entry, which points to a second of the same size. */
const layout = { first: 8, second: 26, data: 44 };

/**
 * EXIF data with a text as its `UserComment`, as A1111 writes it with piexif: big-endian, the text in UTF-16.
 * Follows CIPA DC-008 (EXIF 2.32), 4.6.5.
 */
export function writeExif(text: string): Uint8Array<ArrayBuffer> {
  const length = codeLength + 2 * text.length;
  const tiff = new Uint8Array(layout.data + length);
  const view = new DataView(tiff.buffer);
  const entry = (directory: number, tag: number, type: number, count: number, value: number) => {
    view.setUint16(directory, 1);
    view.setUint16(directory + 2, tag);
    view.setUint16(directory + 4, type);
    view.setUint32(directory + 6, count);
    view.setUint32(directory + 10, value);
  };
  view.setUint32(0, 0x4d4d002a);
  view.setUint32(4, layout.first);
  entry(layout.first, tags.exif, 4, 1, layout.second);
  entry(layout.second, tags.userComment, 7, length, layout.data);
  tiff.set(bytesOfLatin1(unicode), layout.data);
  for (let i = 0; i < text.length; i++) view.setUint16(layout.data + codeLength + 2 * i, text.charCodeAt(i));
  return tiff;
}

/**
 * The settings in EXIF data: A1111's in `UserComment`; ComfyUI's in texts of the first directory, which begin with `prompt:`
 * or `workflow:`. Empty if there are none, or if the data is broken.
 */
export function readExif(tiff: Uint8Array): SettingsTexts {
  try {
    const view = new DataView(tiff.buffer, tiff.byteOffset, tiff.length);
    const littleEndian = view.getUint16(0) === 0x4949;
    const first = readDirectory(view, view.getUint32(4, littleEndian), littleEndian);
    const exif = first.get(tags.exif);
    const second = exif && readDirectory(view, exif.pointer, littleEndian);
    const comment = second?.get(tags.userComment);
    if (comment !== undefined) return { parameters: decodeComment(comment.bytes, littleEndian) };
    return comfyTexts([tags.make, tags.model, tags.description].flatMap((tag) => first.get(tag)?.bytes ?? []));
  } catch (error) {
    if (error instanceof RangeError) return {};
    throw error;
  }
}

interface Entry {
  /** The value as an offset of another directory. */
  readonly pointer: number;
  readonly bytes: Uint8Array;
}

/** The entries of a directory by tag; of values other than bytes and text only pointers are read. */
function readDirectory(view: DataView, at: number, littleEndian: boolean): Map<number, Entry> {
  const entries = new Map<number, Entry>();
  const count = view.getUint16(at, littleEndian);
  for (let i = 0; i < count; i++) {
    const entry = at + 2 + 12 * i;
    const length = view.getUint32(entry + 4, littleEndian);
    const pointer = view.getUint32(entry + 8, littleEndian);
    const start = length <= 4 ? entry + 8 : pointer;
    const bytes = new Uint8Array(view.buffer, view.byteOffset, view.byteLength).subarray(start, start + length);
    entries.set(view.getUint16(entry, littleEndian), { pointer, bytes });
  }
  return entries;
}

/** Decodes a comment by the eight bytes before it: `UNICODE`, `ASCII` or none, which some programs use for UTF-8. */
function decodeComment(comment: Uint8Array, littleEndian: boolean): string {
  const text = comment.subarray(codeLength);
  if (latin1Of(comment.subarray(0, codeLength)) !== unicode) return new TextDecoder().decode(text);
  return new TextDecoder(isLittleEndian(text, littleEndian) ? 'utf-16le' : 'utf-16be').decode(text);
}

/**
 * A1111 writes big-endian text whatever the order of the file, others the file's. In prompts most characters are Latin, whose
 * upper byte is 0.
 */
function isLittleEndian(text: Uint8Array, fallback: boolean): boolean {
  const zeros = [0, 0];
  for (let i = 0; i < text.length; i++) if (text[i] === 0) zeros[i % 2] += 1;
  return zeros[0] === zeros[1] ? fallback : zeros[1] > zeros[0];
}

function comfyTexts(values: readonly Uint8Array[]): SettingsTexts {
  const texts: Record<string, string> = {};
  for (const value of values) {
    const [, name, text] = /^(prompt|workflow):(.*?)\0*$/is.exec(new TextDecoder().decode(value)) ?? [];
    if (name !== undefined) texts[name.toLowerCase()] = text;
  }
  return texts;
}
