import { deflateRawSync } from 'node:zlib';
import { concat, uint16, uint32, uint64, utf8 } from '../bytes.js';

/** A zip whose fields may lie. Files are [name, bytes, { deflate, size, stored, header, flags, method, zip64 }]. */
export function zipOf(files, { comment = '', count, start, size, end64 } = {}) {
  const parts = [];
  const directory = [];
  let at = 0;
  for (const [name, bytes, lies = {}] of files) {
    const data = lies.deflate ? new Uint8Array(deflateRawSync(bytes)) : bytes;
    const entry = { name: utf8(name), method: lies.method ?? (lies.deflate ? 8 : 0), flags: lies.flags ?? 0 };
    Object.assign(entry, {
      full: lies.size ?? bytes.length,
      stored: lies.stored ?? data.length,
      header: lies.header ?? at,
    });
    const local = concat([uint32(0x04034b50), uint16(20), ...commonFields(entry), entry.name, data]);
    directory.push(directoryEntry(entry, lies.zip64));
    parts.push(local);
    at += local.length;
  }
  const listed = concat(directory);
  const endFields = { count: count ?? files.length, size: size ?? listed.length, start: start ?? at };
  const wide = { count: files.length, size: listed.length, start: at, at: at + listed.length, ...end64 };
  const tail = [...(end64 ? [zip64End(wide)] : []), endRecord(endFields, comment)];
  return concat([...parts, listed, ...tail]);
}

const commonFields = ({ flags, method, stored, full, name }, extra = 0) => [
  uint16(flags),
  uint16(method),
  uint32(0),
  uint32(0),
  uint32(stored),
  uint32(full),
  uint16(name.length),
  uint16(extra),
];

function directoryEntry(entry, zip64) {
  const { full, stored, header, name } = entry;
  const extra = zip64
    ? concat([uint16(1), uint16(24), uint64(full), uint64(stored), uint64(header)])
    : new Uint8Array();
  const sizes = zip64 ? { stored: 0xffffffff, full: 0xffffffff, header: 0xffffffff } : entry;
  return concat([
    uint32(0x02014b50),
    uint16(20),
    uint16(20),
    ...commonFields({ ...entry, ...sizes }, extra.length),
    new Uint8Array(10),
    uint32(sizes.header),
    name,
    extra,
  ]);
}

const zip64End = ({ count, size, start, at }) =>
  concat([
    ...[uint32(0x06064b50), uint64(44), uint16(45), uint16(45), uint32(0), uint32(0), uint64(count), uint64(count)],
    ...[uint64(size), uint64(start), uint32(0x07064b50), uint32(0), uint64(at), uint32(1)],
  ]);

const endRecord = ({ count, size, start }, comment) =>
  concat([
    ...[uint32(0x06054b50), uint32(0), uint16(count), uint16(count), uint32(size), uint32(start)],
    ...[uint16(comment.length), utf8(comment)],
  ]);
