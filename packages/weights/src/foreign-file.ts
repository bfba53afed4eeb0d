/** Says what a file without weights is, and what to do; follows the file's name in a message. */
type Problem = string;

const again = 'Download it again.';
const unpack = 'Unpack it and give the folder or file in it.';

export const unfinished: Problem = `is an unfinished download. Wait until it has ended, or download it again.`;

/** First bytes of files that have no weights, as Latin-1, and their offsets. */
const signatures: readonly (readonly [problem: Problem, magic: string, offset?: number])[] = [
  [
    'is a Git LFS pointer, not the file that it stands for. Run `git lfs pull` in its repository, or download the file itself.',
    'version https://git-lfs',
  ],
  [`is a 7z archive. ${unpack}`, '7z\xbc\xaf\x27\x1c'],
  [`is a RAR archive. ${unpack}`, 'Rar!\x1a\x07'],
  [`is compressed by gzip. ${unpack}`, '\x1f\x8b'],
  [`is compressed by bzip2. ${unpack}`, 'BZh'],
  [`is compressed by xz. ${unpack}`, '\xfd7zXZ'],
  [`is compressed by Zstandard. ${unpack}`, '\x28\xb5\x2f\xfd'],
  ['is an empty zip archive. Download it again.', 'PK\x05\x06'],
  [
    'is a tar archive. If torch before 0.1.10 saved it, save it again with a newer torch; otherwise unpack it and give the folder or file in it.',
    'ustar',
    257,
  ],
  ['is an HDF5 file of Keras, which is not supported. Use a .safetensors version of it.', '\x89HDF\r\n\x1a\n'],
  ['is a NumPy array, which is not supported. Use a .safetensors version of it.', '\x93NUMPY'],
  ['is a TensorFlow Lite model, which is not supported. Use a .safetensors version of it.', 'TFL3', 4],
  ['is a PNG image, not weights. Give the model’s own file.', '\x89PNG'],
  ['is a JPEG image, not weights. Give the model’s own file.', '\xff\xd8\xff'],
  ['is a WebP image, not weights. Give the model’s own file.', 'WEBP', 8],
  ['is a GIF image, not weights. Give the model’s own file.', 'GIF8'],
  ['is a PDF document, not weights. Give the model’s own file.', '%PDF'],
];

/**
 * Says what a file without weights is, by its first bytes; undefined for bytes of no known kind.
 * @param start Its first 512 bytes, or all of a shorter file.
 */
export function describeForeign(path: string, start: Uint8Array): Problem | undefined {
  if (start.length === 0) return 'is empty: its download did not begin or has not ended. Download it again.';
  if (/\.aria2$/i.test(path)) {
    return 'holds the state of an unfinished aria2 download. Continue the download, then give the file next to it.';
  }
  const found = signatures.find(([, magic, at = 0]) =>
    [...magic].every((character, i) => start[at + i] === character.charCodeAt(0)),
  );
  if (found !== undefined) return found[0];
  if (start.length > 16 && start.every((byte) => byte === 0)) return `begins with zeros only: it ${unfinished}`;
  return describeText(start);
}

/** Says what a file of text is, such as a web page in place of a download; undefined if it is not text. */
function describeText(start: Uint8Array): Problem | undefined {
  const text = textOf(start);
  if (text === undefined) return undefined;
  if (/^<(!doctype html|html|head|body|script|!--)/i.test(text)) {
    const title = /<title[^>]*>([^<]*)/i.exec(text)?.[1]?.trim();
    const named = title ? ` (${JSON.stringify(title)})` : '';
    return `is a web page (HTML)${named}, not the file itself: the link may need a login, or be that of the page about the file. ${again}`;
  }
  if (text.startsWith('<'))
    return `is XML, probably a server's message in place of the file: ${quoted(textInXml(text))}. ${again}`;
  if (/^[{[]/.test(text)) return describeJson(text);
  return `is text, not weights: ${quoted(text)}. ${again}`;
}

function describeJson(text: string): Problem {
  if (/"weight_map"\s*:/.test(text) || /"total_size"\s*:/.test(text)) {
    return 'is the index of weights in several files. Give the folder that it is in.';
  }
  if (/"_class_name"\s*:|"architectures"\s*:|"_diffusers_version"\s*:/.test(text)) {
    return 'is the config of a model, not its weights. Give the folder that it is in.';
  }
  return `is JSON, not weights: ${quoted(text)}. Give the model's own file, or download it again.`;
}

/** The start of a file as text; undefined if it has bytes that do not occur in text. */
function textOf(start: Uint8Array): string | undefined {
  // Tab, line feed, form feed and carriage return are the only control characters in text.
  if (start.some((byte) => byte < 0x20 && ![0x09, 0x0a, 0x0c, 0x0d].includes(byte))) return undefined;
  // The last character may be cut.
  const text = new TextDecoder()
    .decode(start)
    .replace(/\ufffd$/, '')
    .trim();
  return text === '' || text.includes('\ufffd') ? undefined : text;
}

const textInXml = (xml: string) => xml.replace(/<[^>]*>?/g, ' ').trim();

function quoted(text: string): string {
  const line = text.replace(/\s+/g, ' ');
  return JSON.stringify(line.length > 80 ? `${line.slice(0, 80)}…` : line);
}
