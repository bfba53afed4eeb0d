import type { Pixels } from '../pixels.js';
import { signature } from './chunks.js';
import { makeChunk } from './text.js';

/** Bytes handled at a time, so that the event loop is never blocked for long. */
const bandBytes = 2 ** 16;

/** Writes RGBA pixels as a PNG file with 8 bits per sample: RGB if `channels` is 3. The platform compresses, on another thread. */
export async function writePng(pixels: Pixels, channels: 3 | 4): Promise<Uint8Array<ArrayBuffer>> {
  const parts: BlobPart[] = [Uint8Array.from(signature), makeChunk('IHDR', headerOf(pixels, channels))];
  for await (const data of fixedPieces(deflate(rowsOf(pixels, channels)))) parts.push(makeChunk('IDAT', data));
  parts.push(makeChunk('IEND', new Uint8Array(0)));
  return new Uint8Array(await new Blob(parts).arrayBuffer());
}

function headerOf({ width, height }: Pixels, channels: 3 | 4): Uint8Array {
  const header = new Uint8Array(13);
  const view = new DataView(header.buffer);
  view.setUint32(0, width);
  view.setUint32(4, height);
  header.set([8, channels === 3 ? 2 : 6], 8);
  return header;
}

/** The rows in bands, each row after the byte of its filter: none. */
function* rowsOf({ width, height, data }: Pixels, channels: 3 | 4): Generator<Uint8Array<ArrayBuffer>> {
  const rowBytes = 1 + width * channels;
  const rowsPerBand = Math.max(1, Math.floor(bandBytes / rowBytes));
  for (let first = 0; first < height; first += rowsPerBand) {
    const rows = Math.min(rowsPerBand, height - first);
    const band = new Uint8Array(rows * rowBytes);
    let to = 0;
    for (let from = first * width * 4; from < (first + rows) * width * 4; from += 4) {
      if (to % rowBytes === 0) to += 1;
      for (let channel = 0; channel < channels; channel++) band[to++] = data[from + channel];
    }
    yield band;
  }
}

async function* deflate(bands: Iterable<Uint8Array<ArrayBuffer>>): AsyncGenerator<Uint8Array> {
  const { readable, writable } = new CompressionStream('deflate');
  const writer = writable.getWriter();
  const written = (async () => {
    for (const band of bands) await writer.write(band);
    await writer.close();
  })();
  // The reader below receives this error too.
  written.catch(() => undefined);
  const reader = readable.getReader();
  for (let next = await reader.read(); !next.done; next = await reader.read()) yield next.value;
  await written;
}

/** The same bytes in pieces of one size, so that a file does not depend on how the platform divides its output. */
async function* fixedPieces(chunks: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array> {
  let piece = new Uint8Array(bandBytes);
  let filled = 0;
  for await (const chunk of chunks) {
    for (let taken = 0; taken < chunk.length; ) {
      const part = chunk.subarray(taken, taken + piece.length - filled);
      piece.set(part, filled);
      taken += part.length;
      filled += part.length;
      if (filled < piece.length) continue;
      yield piece;
      piece = new Uint8Array(bandBytes);
      filled = 0;
    }
  }
  if (filled > 0) yield piece.subarray(0, filled);
}
