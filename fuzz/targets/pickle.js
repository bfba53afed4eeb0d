// Files saved by torch: zips with pickles, and files before torch 1.6. Random instructions, files changed, zips whose fields
// lie. All tensors are read.
import { readFileSync } from 'node:fs';
import { inspect } from '@sd/pipeline';
import { openPickle, openWeights } from '@sd/weights';
import { concat, latin1, mutate, uint32, uint64, utf8 } from '../bytes.js';
import { fixture } from '../fixtures.js';
import { op } from '../formats/pickle.js';
import { zipOf } from '../formats/zip.js';
import { memorySource } from '../sources.js';

const globals = [
  ...[
    ['torch', 'FloatStorage'],
    ['torch', 'HalfStorage'],
    ['torch', 'LongStorage'],
    ['torch', 'float8_e4m3fn'],
  ],
  ...[
    ['torch._utils', '_rebuild_tensor_v2'],
    ['torch._utils', '_rebuild_tensor_v3'],
    ['torch._utils', '_rebuild_parameter'],
  ],
  ...[
    ['torch.storage', 'UntypedStorage'],
    ['torch', 'Size'],
    ['torch', '__proto__'],
    ['torch', 'constructor'],
  ],
  ...[
    ['collections', 'OrderedDict'],
    ['builtins', 'set'],
    ['__builtin__', 'set'],
    ['_codecs', 'encode'],
    ['numpy', 'dtype'],
  ],
  ...[
    ['numpy.core.multiarray', 'scalar'],
    ['torch.nn.modules.container', 'ParameterDict'],
    ['os', 'system'],
    ['', ''],
  ],
  ['pytorch_lightning.callbacks.model_checkpoint', 'ModelCheckpoint'],
];
const texts = [
  'storage',
  '0',
  '1',
  'cpu',
  'state_dict',
  'latin1',
  'weight',
  '__proto__',
  'string_to_param',
  '*',
  'a.b',
  '',
  'f8',
  'name',
];
const numbers = [0, 1, 2, 3, 4, 8, 16, 64, 255, 1000, 2 ** 31 - 1, -1, -4, 2 ** 31];
const storages = ['FloatStorage', 'HalfStorage', 'BFloat16Storage', 'LongStorage', 'BoolStorage', 'float8_e4m3fn', 'x'];
const sizes = [[4], [2, 2], [], [0], [1, 1, 4], [2 ** 31 - 1, 2], [-1], [4, 4]];
const strides = [[1], [2, 1], [], [1, 2], [0], [0, 0], [-1], [4, 4, 1], [2 ** 31 - 1, 1], [1, 1]];

/** Kinds of instructions: each makes one, with an argument that may be none. */
const instructions = [
  (random) => latin1(random.pick([...'N()tld]}aesu012RQ.b'])),
  (random) => latin1(random.pick([...'N((()tldaesuR'])),
  (random) => Uint8Array.of(random.pick([0x85, 0x86, 0x87, 0x88, 0x89, 0x8f, 0x90, 0x91, 0x93, 0x94, 0x81, 0x92])),
  (random) => op.int(random.pick(numbers)),
  (random) => op.text(random.pick(texts)),
  (random) => op.text(random.pick(texts)),
  (random) => op.get(random.int(6)),
  (random) => op.put(random.int(6)),
  (random) => op.global(...random.pick(globals)),
  (random) => op.proto(random.int(7)),
  (random) => concat([Uint8Array.of(0x95), uint64(random.pick([0, 5, 2 ** 40, -1]))]),
  (random) =>
    concat([Uint8Array.of(0x8a, random.pick([0, 1, 8, 9, 255])), random.bytes(random.pick([0, 1, 8, 9, 255]))]),
  (random) => concat([Uint8Array.of(0x8b), uint32(random.pick([0, 4, 255, 257, 2 ** 31])), random.bytes(8)]),
  (random) =>
    latin1(
      `${random.pick(['I', 'L', 'F', 'V', 'g', 'p'])}${random.pick(['0', '01', '-1', '9'.repeat(601), 'x', '', '1e400', 'nan', 'a\\u1234'])}\n`,
    ),
  (random) => concat([latin1(random.pick(['G', 'U\x08', 'C\x08', '\x8c\x08'])), random.bytes(8)]),
  (random) =>
    concat([latin1(random.pick(['T', 'B', 'X'])), uint32(random.pick([3, 3, 2 ** 31, 0xffffffff])), random.bytes(3)]),
  (random) => concat([latin1(random.pick(['\x8d', '\x8e', '\x96'])), uint64(random.pick([1, 2 ** 33, -1])), utf8('a')]),
  tensorOf,
];

function tensorOf(random) {
  return op.tensor({
    ...{ key: random.pick(['0', '1', '9', '__proto__']), storage: random.pick(storages), count: random.pick(numbers) },
    ...{ offset: random.pick([0, 0, 0, 1, -1, 2 ** 31 - 1]), size: random.pick(sizes), stride: random.pick(strides) },
  });
}

const instruction = (random) => random.pick(instructions)(random);

function pickleOf(random, real) {
  if (random.chance(0.25)) return mutate(random, random.pick(real), 4);
  const isDict = random.chance(0.3);
  const entry = () => [op.text(random.pick(texts)), random.chance(0.6) ? tensorOf(random) : instruction(random)];
  const body = isDict
    ? [op.dict(random.times(random.range(0, 6), entry))]
    : random.times(random.range(1, 30), () => instruction(random));
  const whole = concat([op.proto(), ...body, latin1(random.chance(0.9) ? '.' : '')]);
  return random.chance(0.2) ? mutate(random, whole, 2) : whole;
}

/** Lies about an entry of a zip. */
const entryLies = (random) => ({
  deflate: random.chance(0.25),
  zip64: random.chance(0.1),
  ...(random.chance(0.05) && { size: random.pick([0, 1, 15, 17, 1000, 16512, 2 ** 26 + 1, 2 ** 31]) }),
  ...(random.chance(0.03) && { stored: random.pick([0, 1, 2 ** 31]) }),
  ...(random.chance(0.03) && { header: random.pick([0, 1, 2 ** 31]) }),
  ...(random.chance(0.02) && { method: random.pick([1, 12, 99]) }),
  ...(random.chance(0.02) && { flags: 1 }),
});

const directoryLies = (random) => ({
  ...(random.chance(0.05) && { count: random.pick([0, 1, 65535]) }),
  ...(random.chance(0.03) && { start: random.pick([0, 1, 0xffffffff]) }),
  ...(random.chance(0.03) && { size: random.pick([0, 1, 0xffffffff]) }),
  ...(random.chance(0.03) && { comment: 'PK\x05\x06'.repeat(3) }),
  ...(random.chance(0.1) && {
    end64: random.pick([
      {},
      { count: 2 ** 40 },
      { count: -1 },
      { start: 2 ** 53 },
      { size: 2 ** 26 },
      { at: 2 ** 60 },
      { at: 5 },
    ]),
  }),
});

function zipFile(random, real) {
  const files = [
    ['archive/data.pkl', pickleOf(random, real), entryLies(random)],
    ['archive/data/0', random.bytes(16), entryLies(random)],
  ];
  if (random.chance(0.9)) files.push(['archive/version', latin1('3\n')]);
  if (random.chance(0.3)) files.push(['archive/byteorder', utf8(random.pick(['little', 'big', '']))]);
  const others = ['archive/constants.pkl', 'archive/data/__proto__', '../data.pkl', '', 'data.pkl', 'a/b/data.pkl'];
  if (random.chance(0.08)) files.push([random.pick(others), pickleOf(random, real)]);
  const bytes = zipOf(files, directoryLies(random));
  return random.chance(0.15) ? mutate(random, bytes, 3) : bytes;
}

/** A file before torch 1.6: five pickles, then each storage behind its number of values. */
function oldFile(random) {
  const magic = Uint8Array.from(Buffer.from('80028a0a6cfc9c46f9206aa850192e', 'hex'));
  const machine = op.dict([[op.text('little_endian'), random.chance(0.9) ? Uint8Array.of(0x88) : instruction(random)]]);
  const tensor = op.tensor({ storage: random.pick(storages.slice(0, 3)), size: [random.pick([4, 4, 2, 0, -1])] });
  const storage = concat([uint64(random.pick([4, 4, 4, 0, 5, 2 ** 40, -1, 2 ** 62])), random.bytes(16)]);
  const pickles = [
    op.int(1001),
    machine,
    op.dict([[op.text('a'), tensor]]),
    concat([latin1(']('), op.text(random.pick(['0', '0', '1'])), latin1('e')]),
  ];
  const whole = concat([magic, ...pickles.flatMap((pickle) => [op.proto(), pickle, latin1('.')]), storage]);
  return random.chance(0.6) ? mutate(random, whole, 3) : whole;
}

export default function pickle() {
  const real = ['textual-inversion/blob.pt', 'hypernetwork-kinds/linear.pt'].map((name) =>
    readFileSync(fixture(`adapters/${name}`)),
  );
  const pickles = real.map((bytes) => {
    const start = bytes.indexOf('data.pkl') + 'data.pkl'.length;
    return new Uint8Array(bytes.subarray(start, start + 6000));
  });
  return {
    generate(random) {
      const kind = random.int(20);
      const bytes = kind === 0 ? mutate(random, real[0], 5) : kind < 5 ? oldFile(random) : zipFile(random, pickles);
      return { bytes, sizes: random.chance(0.7), use: random.pick(['inspect', 'weights', 'pickle', 'pickle']) };
    },
    async run({ bytes, sizes, use }) {
      const source = memorySource({ 'x.ckpt': bytes }, { sizes });
      if (use === 'inspect') return void (await inspect(source, { path: 'x.ckpt' }));
      const { tensors } = await (use === 'weights' ? openWeights : openPickle)(source, 'x.ckpt');
      for (const { file, offset, length } of tensors.values()) {
        if (offset < 0 || offset + length > (await file.read()).length) throw new Error('a tensor ends after its file');
      }
    },
  };
}
