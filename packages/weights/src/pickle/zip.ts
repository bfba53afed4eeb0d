import { CheckpointError, settleAll } from '@sd/core';
import type { RandomAccess } from '../random-access.js';

/** A file inside a zip: where its bytes are, and whether they are deflated. */
export interface ZipEntry {
  readonly name: string;
  /** First byte of its data in the zip. */
  readonly start: number;
  /** Bytes that it takes in the zip. */
  readonly stored: number;
  /** Bytes of the file itself. */
  readonly size: number;
  readonly deflated: boolean;
}

const signatures = {
  local: 0x04034b50,
  directory: 0x02014b50,
  end: 0x06054b50,
  end64: 0x06064b50,
  locator: 0x07064b50,
};
const sizes = { local: 30, directory: 46, end: 22, end64: 56, locator: 20 };
const longestComment = 0xffff;
const longestDirectory = 2 ** 26;
/** Deflate's highest compression ratio. */
const mostInflation = 1032;
/** Local headers read at once. */
const batch = 32;

/**
 * Lists a zip's files. Only the directory at its end and the files' local headers are read.
 * Throws a CheckpointError if the zip is broken or truncated, or uses what torch never writes (encryption, other compression).
 * @see APPNOTE.TXT, .ZIP File Format Specification, 4.3
 */
export async function readZip(file: RandomAccess): Promise<ZipEntry[]> {
  const { start, size, count } = await findDirectory(file);
  const directory = await file.read(start, start + size);
  const view = new DataView(directory.buffer, directory.byteOffset, directory.length);
  const listed: DirectoryEntry[] = [];
  let at = 0;
  while (at < size && listed.length < count) {
    if (at + sizes.directory > size || view.getUint32(at, true) !== signatures.directory) throw badDirectory(file);
    const length = sizes.directory + nameAndExtras(view, at);
    if (at + length > size) throw badDirectory(file);
    listed.push(listedEntry(file, directory.subarray(at, at + length)));
    at += length;
  }
  if (listed.length !== count) throw badDirectory(file);
  const entries: ZipEntry[] = [];
  for (let i = 0; i < listed.length; i += batch) {
    entries.push(...(await settleAll(listed.slice(i, i + batch).map((entry) => () => locate(file, entry)))));
  }
  return entries;
}

/**
 * The first `end` bytes of a file, inflated if needed; all by default. Throws a CheckpointError if it does not have the
 * size given in the zip's directory.
 */
export async function inflated(
  path: string,
  entry: ZipEntry,
  bytes: Uint8Array,
  end = entry.size,
): Promise<Uint8Array> {
  if (!entry.deflated) return bytes;
  let length = 0;
  const reader = new Blob([bytes as BlobPart]).stream().pipeThrough(new DecompressionStream('deflate-raw')).getReader();
  try {
    const result = new Uint8Array(end);
    for (let part = await reader.read(); !part.done; part = await reader.read()) {
      if (length + part.value.length > entry.size) throw new RangeError('longer than its entry says');
      result.set(part.value.subarray(0, Math.max(0, end - length)), Math.min(length, end));
      length += part.value.length;
      if (end < entry.size && length >= end) break;
    }
    if (length < end) throw new RangeError('shorter than its entry says');
    return result;
  } catch (cause) {
    throw broken(path, `its file ${entry.name} cannot be inflated`, cause);
  } finally {
    await reader.cancel().catch(() => undefined);
  }
}

/** An entry of the directory, before its local header is read. */
interface DirectoryEntry {
  readonly name: string;
  readonly header: number;
  readonly stored: number;
  readonly size: number;
  readonly deflated: boolean;
}

async function findDirectory(file: RandomAccess): Promise<{ start: number; size: number; count: number }> {
  const tailStart = Math.max(0, file.size - sizes.end - longestComment - sizes.locator);
  const tail = await file.read(tailStart, file.size);
  const view = new DataView(tail.buffer, tail.byteOffset, tail.length);
  let end = tail.length - sizes.end;
  while (end >= 0 && view.getUint32(end, true) !== signatures.end) end--;
  if (end < 0) throw bad(file, 'the end of the zip is missing: the file is truncated');
  let [count, size, start] = [
    view.getUint16(end + 10, true),
    view.getUint32(end + 12, true),
    view.getUint32(end + 16, true),
  ];
  const locator = end - sizes.locator;
  if (locator >= 0 && view.getUint32(locator, true) === signatures.locator) {
    const at = wide(file, view, locator + 8);
    if (at + sizes.end64 > file.size) throw badDirectory(file);
    const bytes = await file.read(at, at + sizes.end64);
    const end64 = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
    if (end64.getUint32(0, true) !== signatures.end64) throw badDirectory(file);
    [count, size, start] = [wide(file, end64, 32), wide(file, end64, 40), wide(file, end64, 48)];
  }
  if (start + size > file.size || size > longestDirectory) throw badDirectory(file);
  return { start, size, count };
}

/** Parses an entry of the directory. Sizes that do not fit 32 bits come from its zip64 extra field. */
function listedEntry(file: RandomAccess, bytes: Uint8Array): DirectoryEntry {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  const nameEnd = sizes.directory + view.getUint16(28, true);
  const name = new TextDecoder().decode(bytes.subarray(sizes.directory, nameEnd));
  const [flags, method] = [view.getUint16(8, true), view.getUint16(10, true)];
  if ((flags & 1) !== 0) throw bad(file, `its file ${name} is encrypted`);
  if (method !== 0 && method !== 8) throw bad(file, `its file ${name} uses a compression that torch never writes`);
  const fields = [view.getUint32(24, true), view.getUint32(20, true), view.getUint32(42, true)];
  const extrasEnd = nameEnd + view.getUint16(30, true);
  for (let at = nameEnd; at + 4 <= extrasEnd; at += 4 + view.getUint16(at + 2, true)) {
    if (view.getUint16(at, true) !== 1) continue;
    let next = at + 4;
    fields.forEach((value, i) => {
      if (value !== 0xffffffff) return;
      if (next + 8 > extrasEnd) throw badDirectory(file);
      fields[i] = wide(file, view, next);
      next += 8;
    });
  }
  const [size, stored, header] = fields as [number, number, number];
  if (method === 0 ? size !== stored : size > stored * mostInflation) throw badDirectory(file);
  return { name, header, stored, size, deflated: method === 8 };
}

/** Finds where an entry's data starts: the local header's extra fields may differ from the directory's. */
async function locate(file: RandomAccess, entry: DirectoryEntry): Promise<ZipEntry> {
  const { header, name, stored, size, deflated } = entry;
  if (header + sizes.local > file.size) throw bad(file, `its file ${name} lies past the end: the file is truncated`);
  const bytes = await file.read(header, header + sizes.local);
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  if (view.getUint32(0, true) !== signatures.local) throw bad(file, `its file ${name} is not where the directory says`);
  const start = header + sizes.local + view.getUint16(26, true) + view.getUint16(28, true);
  if (start + stored > file.size) throw bad(file, `its file ${name} lies past the end: the file is truncated`);
  return { name, start, stored, size, deflated };
}

function nameAndExtras(view: DataView, at: number): number {
  return view.getUint16(at + 28, true) + view.getUint16(at + 30, true) + view.getUint16(at + 32, true);
}

function wide(file: RandomAccess, view: DataView, at: number): number {
  const value = view.getBigUint64(at, true);
  if (value > BigInt(Number.MAX_SAFE_INTEGER)) throw badDirectory(file);
  return Number(value);
}

const badDirectory = (file: RandomAccess) => bad(file, 'the directory of the zip is broken');

const bad = (file: RandomAccess, problem: string) => broken(file.path, problem);

function broken(path: string, problem: string, cause?: unknown): CheckpointError {
  return new CheckpointError('bad-checkpoint', path, `${problem}. Download it again.`, { cause });
}
