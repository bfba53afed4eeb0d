import { createHash } from 'node:crypto';
import { decode } from 'fast-png';
import { expect, test } from 'vitest';
import { encodePng, readParameters } from '../src/index.js';
import { crc32 } from '../src/png/crc32.js';

function noise(width: number, height: number, opaque = true) {
  const data = new Uint8ClampedArray(width * height * 4);
  let state = 1;
  for (let i = 0; i < data.length; i++) {
    state = (Math.imul(state, 1103515245) + 12345) >>> 0;
    data[i] = opaque && i % 4 === 3 ? 255 : state >> 16;
  }
  return { width, height, data };
}

test.each([
  [1, 1, true],
  [1, 300, true],
  [30_000, 2, true],
  [300, 200, true],
  [300, 200, false],
])('%i x %i, opaque: %s, is read by another decoder', async (width, height, opaque) => {
  const image = noise(width, height, opaque);
  const { channels, data, ...decoded } = decode(await encodePng(image), { checkCrc: true });
  expect(decoded).toMatchObject({ width, height, depth: 8 });
  expect(channels).toBe(opaque ? 3 : 4);
  const expected = opaque ? image.data.filter((_, i) => i % 4 !== 3) : image.data;
  expect(Buffer.compare(Buffer.from(data as Uint8Array), Buffer.from(expected))).toBe(0);
});

test('equal pixels give equal bytes, whatever else runs', async () => {
  const image = noise(400, 400);
  const files = await Promise.all([1, 2, 3, 4].map(() => encodePng(image, { prompt: 'a' })));
  const hashes = new Set(files.map((file) => createHash('sha256').update(file).digest('hex')));
  expect(hashes.size).toBe(1);
  expect((await readParameters(files[0]))?.prompt).toBe('a');
});

test('the event loop turns while an image is compressed', async () => {
  let turns = 0;
  let isDone = false;
  const turn = () => {
    turns += 1;
    if (!isDone) setImmediate(turn);
  };
  setImmediate(turn);
  await encodePng(noise(1024, 512));
  isDone = true;
  // One for each band of 64 kB at least, of 1.5 MB.
  expect(turns).toBeGreaterThan(20);
});

test('the checksum is that of the specification', () => {
  expect(crc32(new TextEncoder().encode('123456789'))).toBe(0xcbf43926);
  expect(crc32(new Uint8Array(0))).toBe(0);
});
