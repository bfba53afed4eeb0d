// ONNX models that others exported: small ones made on purpose, and bytes changed. Read by openOnnxFile and inspect.
import { readFileSync } from 'node:fs';
import { inspect } from '@sd/pipeline';
import { openOnnxFile } from '@sd/weights/onnx-file';
import { concat, mutate } from '../bytes.js';
import { fixture } from '../fixtures.js';
import * as pb from '../formats/protobuf.js';
import { memorySource } from '../sources.js';

const locations = [
  ...[
    'w.bin',
    './w.bin',
    'a/w.bin',
    '../w.bin',
    '../../etc/passwd',
    '/etc/passwd',
    'C:\\w.bin',
    '..\\w.bin',
    'a/../../w.bin',
  ],
  ...[
    'a/..',
    '',
    '.',
    '/',
    '\u0000',
    'w.bin\u0000',
    '%2e%2e/w.bin',
    'http://127.0.0.1/x',
    '__proto__',
    'w'.repeat(5000),
  ],
  ...['\ud800', 'a\\b', '//w.bin', 'file:///etc/passwd', '~/.x', '…/w.bin'],
];
const offsets = [0, 0, 16, -1, 'x', '9'.repeat(30), 2 ** 60, 1e308, ''];
const fields = [1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 20, 22, 25, 26, 1000, 536870911, 0];
const wholes = [0, 1, -1, 2 ** 31, 2n ** 63n, 2n ** 64n - 1n, 127, 10];

/** Any field, of any wire type. */
function anyField(random, depth) {
  const body = () =>
    depth > 0 && random.chance(0.6)
      ? concat(random.times(random.range(0, 4), () => anyField(random, depth - 1)))
      : random.bytes(random.int(12));
  const field = random.pick(fields);
  return random.pick([
    () => pb.number(field, random.pick(wholes)),
    () => pb.bytes(field, body()),
    () => pb.bytes(field, body()),
    () => concat([pb.tag(field, 5), random.bytes(4)]),
    () => concat([pb.tag(field, 1), random.bytes(8)]),
    () => concat([pb.tag(field, 3), body(), pb.tag(field, 4)]),
    () => concat([pb.tag(field, random.pick([3, 4, 6, 7])), random.bytes(3)]),
    () => concat([pb.tag(field, 2), pb.varint(random.pick([2 ** 31, 2n ** 63n, 2 ** 32 - 1, 1e9])), random.bytes(3)]),
  ])();
}

function tensorOf(random, field) {
  const external = {
    ...(random.chance(0.95) && { location: random.chance(0.5) ? 'w.bin' : random.pick(locations) }),
    ...(random.chance(0.9) && { offset: random.pick(offsets) }),
    ...(random.chance(0.9) && { length: random.pick(offsets) }),
    ...(random.chance(0.1) && { checksum: 'x' }),
  };
  return pb.tensor(field, {
    name: random.pick(['w', 'x', 'v', '', '__proto__']),
    type: random.pick([1, 1, 1, 10, 7, 8, 16, 0, 99, -1]),
    dims: random.pick([[4], [2, 2], [], [0], [-1], [2n ** 63n - 1n], [2 ** 31, 2 ** 31]]),
    ...(random.chance(0.5) ? { raw: random.bytes(random.pick([16, 16, 0, 5000])) } : { external }),
  });
}

function nodeOf(random, depth) {
  const attributes = [];
  if (depth < 4 && random.chance(0.3))
    attributes.push(pb.graphAttribute('then_branch', concat(graphOf(random, depth + 1))));
  if (random.chance(0.3)) attributes.push(pb.tensorAttribute('value', tensorOf(random, 5)));
  if (random.chance(0.1)) attributes.push(pb.intAttribute('dtype', random.pick([1, 10, 99, -1])));
  return pb.node(1, {
    type: random.pick(['Add', 'If', 'RandomNormalLike', 'RandomNormal', 'Conv', '', '__proto__']),
    inputs: ['x', 'w'],
    outputs: random.chance(0.9) ? ['y'] : [],
    domain: random.pick(['', '', 'ai.onnx', 'com.microsoft', '__proto__']),
    attributes,
  });
}

function graphOf(random, depth = 0) {
  const input = random.pick(['x', 'sample', 'input_ids', 'timestep', '__proto__']);
  const dims = random.pick([[1, 4], ['n', 4], [], [-1], [2n ** 63n - 1n], ['', '__proto__']]);
  const parts = [
    pb.value(11, input, random.pick([1, 1, 10, 7, 0, 99, -1]), dims),
    pb.value(12, random.pick(['y', 'last_hidden_state', 'latent_sample'])),
    ...random.times(random.range(0, 3), () => tensorOf(random, random.pick([5, 5, 5, 15]))),
    ...random.times(random.range(0, 3), () => nodeOf(random, depth)),
  ];
  if (random.chance(0.3)) parts.splice(random.int(parts.length), 0, anyField(random, 3));
  return parts;
}

function nested(random) {
  let graph = concat(graphOf(random, 4));
  for (let i = random.pick([5, 20, 40, 200]); i > 0; i--) {
    graph = pb.node(1, {
      type: 'If',
      inputs: ['x'],
      outputs: ['y'],
      attributes: [pb.graphAttribute('then_branch', graph)],
    });
  }
  return pb.model([graph, pb.value(11, 'x')]);
}

export default function onnx() {
  const real = new Uint8Array(readFileSync(fixture('models/sd1-onnx-float16/unet/model.onnx')).subarray(0, 20000));
  const made = (random) => {
    const version = random.pick([17, 17, 0, -1, 2n ** 63n]);
    const bytes = pb.model(graphOf(random), { extra: random.chance(0.4) ? [anyField(random, 3)] : [], version });
    return random.chance(0.6) ? mutate(random, bytes, 3) : bytes;
  };
  return {
    generate(random) {
      const kind = random.int(10);
      const bytes = kind === 0 ? mutate(random, real, 6) : kind === 1 ? nested(random) : made(random);
      return {
        bytes,
        sizes: random.chance(0.7),
        use: random.pick(['inspect', 'open', 'open']),
        noiseInputs: random.chance(0.5),
      };
    },
    async run({ bytes, sizes, use, noiseInputs }) {
      const files = { 'm/model.onnx': bytes, 'm/w.bin': new Uint8Array(64), 'w.bin': new Uint8Array(8) };
      const source = memorySource(files, { sizes });
      if (use === 'inspect') return void (await inspect(source, { path: 'm/model.onnx' }));
      const { weights } = (await openOnnxFile(source, 'm/model.onnx', { noiseInputs })).model('m');
      const isOutside = ({ location }) => /(^|\/)\.\.(\/|$)|^\//.test(location);
      if (weights.some(isOutside)) throw new Error('weights outside of the folder');
    },
  };
}
