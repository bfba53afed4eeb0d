import { concat, uint64, utf8 } from '../bytes.js';

export const bytesOf = { F64: 8, I64: 8, U64: 8, F32: 4, I32: 4, U32: 4, F16: 2, BF16: 2, I16: 2, U16: 2 };

/** The length and text of a header: of these entries, [name, { dtype, shape }] each, one after the other. */
export function headerOf(entries, metadata) {
  let offset = 0;
  const rows = entries.map(([name, { dtype, shape }]) => {
    const start = offset;
    offset += shape.reduce((product, size) => product * size, 1) * (bytesOf[dtype] ?? 1);
    return `${JSON.stringify(name)}:${JSON.stringify({ dtype, shape, data_offsets: [start, offset] })}`;
  });
  if (metadata !== undefined) rows.unshift(`"__metadata__":${JSON.stringify(metadata)}`);
  const json = utf8(`{${rows.join(',')}}`);
  return { start: concat([uint64(json.length), json]), size: 8 + json.length + offset };
}

/** The JSON of a file's header. */
export function readHeader(bytes) {
  const length = Number(new DataView(bytes.buffer, bytes.byteOffset).getBigUint64(0, true));
  return JSON.parse(new TextDecoder().decode(bytes.subarray(8, 8 + length)));
}
