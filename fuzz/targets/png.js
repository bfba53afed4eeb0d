// PNG files: chunks made on purpose, with right checksums and wrong ones, and files changed. Pixels or settings are read.
import { readdirSync, readFileSync } from 'node:fs';
import { readImage, readParameters } from '@sd/image';
import { concat, mutate, utf8 } from '../bytes.js';
import { fixture } from '../fixtures.js';
import * as png from '../formats/png.js';
import { settingsText } from '../settings-text.js';

const passes = [
  [0, 0, 8, 8],
  [4, 0, 8, 8],
  [0, 4, 4, 8],
  [2, 0, 4, 4],
  [0, 2, 2, 4],
  [1, 0, 2, 2],
  [0, 1, 1, 2],
];
const otherChunks = [
  'gAMA',
  'iCCP',
  'acTL',
  'fcTL',
  'fdAT',
  'sBIT',
  'pHYs',
  'tIME',
  'AAAA',
  'IHDR',
  'PLTE',
  'bKGD',
  'hIST',
];

function shapeOf(random) {
  const side = (small) =>
    random.chance(0.02) ? random.pick([2 ** 31 - 1, 2 ** 32 - 1, 50000, 8192, 65536]) : random.pick(small);
  return {
    ...{ width: side([0, 1, 2, 3, 7, 8, 9, 16, 33]), height: side([0, 1, 2, 3, 8, 17]) },
    ...{ depth: random.pick([1, 2, 4, 8, 8, 8, 16, 0, 3, 255]), colour: random.pick([0, 2, 2, 3, 4, 6, 6, 1, 5, 255]) },
    ...{
      compression: random.chance(0.95) ? 0 : 1,
      filter: random.chance(0.95) ? 0 : 9,
      interlace: random.pick([0, 0, 0, 1, 2]),
    },
  };
}

/** The rows' bytes, with a filter before each; of interlaced files, those of every pass. */
function pixelsOf(random, { width, height, depth, colour, interlace }) {
  const channels = { 0: 1, 2: 3, 3: 1, 4: 2, 6: 4 }[colour] ?? 3;
  const rowOf = (columns) => 1 + Math.ceil((columns * channels * depth) / 8);
  let size = interlace === 0 ? height * rowOf(width) : 0;
  for (const [x, y, right, down] of interlace === 0 ? [] : passes) {
    const [columns, rows] = [Math.ceil((width - x) / right), Math.ceil((height - y) / down)];
    if (columns > 0 && rows > 0) size += rows * rowOf(columns);
  }
  if (random.chance(0.1)) size += random.pick([1, -1, 100, -size]);
  const raw = random.bytes(Math.max(0, Math.min(size, 1e5)));
  for (let i = 0; i < raw.length; i += rowOf(width)) raw[i] = random.int(5);
  return raw;
}

function metadataChunks(random) {
  const some = (probability, make) => (random.chance(probability) ? [make()] : []);
  return [
    ...some(0.2, () => png.chunk('tRNS', random.bytes(random.pick([0, 1, 2, 6, 16, 256, 300])))),
    ...some(0.2, () =>
      png.chunk('eXIf', concat([utf8(random.pick(['II*\0', 'MM\0*', 'II', ''])), random.bytes(random.int(40))])),
    ),
    ...some(0.2, () => png.text(random.pick(['parameters', 'Comment', '']), settingsText(random))),
    ...some(0.1, () => png.compressedText('parameters', utf8(settingsText(random)))),
    ...some(0.1, () =>
      png.internationalText(
        'parameters',
        random.chance(0.5) ? utf8(settingsText(random)) : random.bytes(20),
        random.chance(0.5),
      ),
    ),
    ...some(0.1, () => png.chunk(random.pick(otherChunks), random.bytes(random.int(30)))),
  ];
}

function fileOf(random) {
  const shape = shapeOf(random);
  const chunks = [png.header(shape)];
  if (random.chance(shape.colour === 3 ? 0.9 : 0.1))
    chunks.push(png.chunk('PLTE', random.bytes(random.pick([3, 6, 48, 768, 0, 1, 771]))));
  chunks.push(...metadataChunks(random));
  const packed = png.deflated(pixelsOf(random, shape));
  const cut = random.chance(0.3) ? random.int(packed.length + 1) : packed.length;
  if (random.chance(0.95)) chunks.push(png.chunk('IDAT', packed.slice(0, cut), random.chance(0.05) ? 1 : 0));
  if (cut < packed.length) chunks.push(png.chunk('IDAT', packed.slice(cut)));
  if (random.chance(0.05)) chunks.splice(random.int(chunks.length), 0, random.pick(chunks));
  if (random.chance(0.97)) chunks.push(png.end());
  const bytes = concat([png.signature, ...chunks]);
  return random.chance(0.25) ? mutate(random, bytes, 3) : bytes;
}

export default function pngFiles() {
  const folder = fixture('adapters/from-picture');
  const real = readdirSync(folder)
    .filter((name) => name.endsWith('.png'))
    .map((name) => readFileSync(`${folder}/${name}`));
  return {
    generate(random) {
      const bytes = random.chance(0.3) ? mutate(random, random.pick(real), 4) : fileOf(random);
      return {
        bytes: random.chance(0.3) ? png.withChecksums(bytes) : bytes,
        use: random.pick(['settings', 'pixels', 'pixels']),
      };
    },
    async run({ bytes, use }) {
      if (use === 'settings') return void (await readParameters(bytes));
      const { width, height, data } = await readImage(bytes);
      if (data.length !== width * height * 4) throw new Error('the pixels do not fit the size');
    },
  };
}
