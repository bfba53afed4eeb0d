// JPEG files, and other kinds by their first bytes: small files with bytes changed, and segments cut, doubled and moved.
import { readFileSync } from 'node:fs';
import { readImage } from '@sd/image';
import { concat, latin1, mutate } from '../bytes.js';
import { repositoryFile } from '../fixtures.js';

const otherKinds = [
  'RIFF\0\0\0\0WEBPVP8 ',
  'RIFF\xff\xff\xff\xffWEBPEXIF',
  'GIF89a',
  'BM',
  '\0\0\0\x20ftypavif',
  '<svg',
  '%PDF',
];

function segmentsOf(bytes) {
  const segments = [];
  let at = 2;
  while (at + 4 <= bytes.length && bytes[at] === 0xff && bytes[at + 1] !== 0xda) {
    const end = at + 2 + ((bytes[at + 2] << 8) | bytes[at + 3]);
    segments.push(bytes.subarray(at, end));
    at = end;
  }
  return { segments, rest: bytes.subarray(at) };
}

const isFrame = (segment) => segment[1] >= 0xc0 && segment[1] <= 0xc2;

function rearranged(random, bytes) {
  const { segments, rest } = segmentsOf(bytes);
  for (let k = random.range(1, 3); k > 0 && segments.length > 0; k--) {
    const i = random.int(segments.length);
    const change = random.int(4);
    if (change === 0) segments.splice(i, 1);
    else if (change === 1) segments.splice(random.int(segments.length + 1), 0, segments[i]);
    else if (change === 2) segments[i] = mutate(random, segments[i], 2);
    else if (segments.some(isFrame)) {
      const frame = segments.findIndex(isFrame);
      segments[frame] = segments[frame].slice();
      new DataView(segments[frame].buffer).setUint16(
        random.pick([5, 7]),
        random.pick([0, 1, 7, 8, 9, 16, 1000, 8191, 65535]),
      );
    }
  }
  return concat([Uint8Array.of(0xff, 0xd8), ...segments, rest]);
}

export default function jpeg() {
  const golden = JSON.parse(readFileSync(repositoryFile('packages/image/test/data/picture-golden.json'), 'utf8'));
  const real = Object.values(golden.jpegs).map(({ file }) => new Uint8Array(Buffer.from(file, 'base64')));
  return {
    generate(random) {
      if (random.chance(0.05))
        return { bytes: mutate(random, concat([latin1(random.pick(otherKinds)), random.bytes(30)]), 3) };
      const bytes = random.chance(0.4) ? rearranged(random, random.pick(real)) : random.pick(real);
      return { bytes: random.chance(0.8) ? mutate(random, bytes, 4) : bytes };
    },
    async run({ bytes }) {
      const { width, height, data } = await readImage(bytes);
      if (data.length !== width * height * 4) throw new Error('the pixels do not fit the size');
    },
  };
}
