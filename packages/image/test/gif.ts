export interface GifFrame {
  /** Milliseconds. */
  readonly delay: number;
  /** RGB, three bytes a pixel. */
  readonly rgb: readonly number[];
}

/** Reads a GIF file of full-size frames. Follows the GIF89a specification and its appendix F. */
export function readGif(bytes: Uint8Array) {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  let at = 6;
  const [width, height, flags] = [view.getUint16(at, true), view.getUint16(at + 2, true), bytes[at + 4]];
  const colours = (size: number) => {
    const start = at;
    at += 3 << (size + 1);
    return bytes.subarray(start, at);
  };
  const blocks = () => {
    const all: number[] = [];
    for (let size = bytes[at++]; size > 0; size = bytes[at++]) {
      all.push(...bytes.subarray(at, at + size));
      at += size;
    }
    return all;
  };
  at += 7;
  const shared = flags & 128 ? colours(flags & 7) : undefined;
  const frames: GifFrame[] = [];
  let repeat: number | undefined;
  let delay = 0;
  for (let kind = bytes[at++]; kind !== 0x3b; kind = bytes[at++]) {
    if (kind === 0x21) {
      const label = bytes[at++];
      const data = blocks();
      if (label === 0xf9) delay = 10 * (data[1] | (data[2] << 8));
      if (label === 0xff) repeat = data[12] | (data[13] << 8);
    } else if (kind === 0x2c) {
      const frameFlags = bytes[at + 8];
      at += 9;
      const palette = frameFlags & 128 ? colours(frameFlags & 7) : shared!;
      const codeSize = bytes[at++];
      const indices = unpack(blocks(), codeSize);
      frames.push({ delay, rgb: indices.flatMap((i) => [...palette.subarray(3 * i, 3 * i + 3)]) });
    } else throw new Error(`Unknown block ${kind} at offset ${at}.`);
  }
  return { signature: new TextDecoder().decode(bytes.subarray(0, 6)), width, height, repeat, frames, end: at };
}

function unpack(data: readonly number[], codeSize: number): number[] {
  const clear = 1 << codeSize;
  const out: number[] = [];
  let table: number[][] = [];
  let previous: number[] | undefined;
  let size = codeSize + 1;
  for (let bit = 0; ; ) {
    let code = 0;
    for (let i = 0; i < size; i++, bit++) code |= ((data[bit >> 3] >> (bit & 7)) & 1) << i;
    if (code === clear) {
      table = Array.from({ length: clear + 2 }, (_, i) => [i]);
      size = codeSize + 1;
      previous = undefined;
      continue;
    }
    if (code === clear + 1) return out;
    const entry: number[] = table[code] ?? [...previous!, previous![0]];
    out.push(...entry);
    if (previous !== undefined && table.length < 4096) table.push([...previous, entry[0]]);
    if (table.length === 1 << size && size < 12) size += 1;
    previous = entry;
  }
}
