// Adapters saved by torch: textual inversions and hypernetworks whose dicts hold anything, and textual inversions of
// every type in .safetensors. Inspected, or attached to the embedded model.
import { openFolder } from '@sd/backend-node';
import { inspect, loadPipeline } from '@sd/pipeline';
import { concat, latin1 } from '../bytes.js';
import { tinyModel } from '../fixtures.js';
import { op } from '../formats/pickle.js';
import { headerOf } from '../formats/safetensors.js';
import { zipOf } from '../formats/zip.js';
import { graphsOnly, memorySource } from '../sources.js';

const storages = [
  'FloatStorage',
  'HalfStorage',
  'BFloat16Storage',
  'LongStorage',
  'IntStorage',
  'BoolStorage',
  'DoubleStorage',
];
const shapes = [
  [256, 256],
  [256],
  [512, 256],
  [256, 512],
  [1, 256],
  [2, 256],
  [],
  [0],
  [1],
  [3, 3, 3],
  [768],
  [64, 64],
];
const keys = [
  '*',
  'linear.0.weight',
  'linear.0.bias',
  'linear.1.weight',
  'linear1.weight',
  'linear.x.weight',
  '__proto__',
  'a.b',
];
const kinds = [
  'lora',
  'hypernetwork',
  'textual-inversion',
  'controlnet',
  't2i-adapter',
  'ip-adapter',
  'motion-adapter',
];
const attachNames = [
  'x',
  '',
  '__proto__',
  'constructor',
  'a b',
  '<',
  '(',
  '\\',
  'a'.repeat(200),
  '🦊',
  ' ',
  '.*',
  '<cat-toy>',
];

function tensorOf(random, shape = random.pick(shapes)) {
  const stride = shape.map((_, i) => shape.slice(i + 1).reduce((product, size) => product * size, 1));
  const storage = random.pick(random.chance(0.8) ? storages.slice(0, 3) : storages);
  return op.tensor({ storage, size: shape, stride: random.chance(0.95) ? stride : stride.reverse(), count: 300000 });
}

const anyValue = (random, depth = 0) =>
  random.pick([
    () => tensorOf(random),
    () => tensorOf(random),
    () => op.int(random.pick([0, 1, -1, 768, 256])),
    () => latin1(random.pick(['N', '\x88', ')', ']', '}'])),
    () => op.text(random.pick(['relu', 'linear', '', '__proto__', 'x'])),
    () => (depth < 2 ? dictOf(random, depth + 1) : latin1(')')),
    () => (depth < 2 ? listOf(random, depth + 1) : latin1(']')),
    () => op.global('torch', 'FloatStorage'),
  ])();

const listOf = (random, depth) =>
  concat([latin1('('), ...random.times(random.int(4), () => anyValue(random, depth)), latin1(random.pick(['t', 'l']))]);

const dictOf = (random, depth) =>
  op.dict(
    random.times(random.int(4), () => [
      random.chance(0.8) ? op.text(random.pick(keys)) : anyValue(random, 2),
      anyValue(random, depth),
    ]),
  );

/** A dict with most of these entries as they are. */
function mostly(random, entries) {
  const kept = entries.flatMap(([key, value]) =>
    random.chance(0.92) ? [[key, random.chance(0.88) ? value : anyValue(random)]] : [],
  );
  if (random.chance(0.2)) kept.push([anyValue(random, 2), anyValue(random)]);
  return concat([op.proto(), op.dict(kept), latin1('.')]);
}

const textualInversion = (random) =>
  mostly(random, [
    [op.text('string_to_token'), op.dict([[op.text('*'), op.int(265)]])],
    [op.text('string_to_param'), op.dict([[op.text('*'), tensorOf(random, random.pick([[1, 256], [2, 256], [256]]))]])],
    [op.text('name'), op.text(random.pick(['x', '', '<w>']))],
    [op.text('step'), op.int(5)],
  ]);

function networkOf(random) {
  const layers = {
    'linear.0.weight': [512, 256],
    'linear.0.bias': [512],
    'linear.1.weight': [256, 512],
    'linear.1.bias': [256],
  };
  const entries = Object.entries(layers).map(([name, shape]) => [
    op.text(name),
    random.chance(0.9) ? tensorOf(random, shape) : anyValue(random),
  ]);
  return op.dict(random.chance(0.15) ? [...entries, [anyValue(random, 2), anyValue(random)]] : entries);
}

const hypernetwork = (random) =>
  mostly(random, [
    ...[256, 128, 64]
      .slice(0, random.range(1, 3))
      .map((width) => [
        random.chance(0.95) ? op.int(width) : anyValue(random, 2),
        op.tuple(random.times(random.chance(0.95) ? 2 : 3, () => networkOf(random))),
      ]),
    [op.text('activation_func'), op.text(random.pick(['relu', 'linear', 'swish', '__proto__', 'constructor', 'x']))],
    [op.text('activate_output'), latin1(random.pick(['\x88', '\x89', 'N']))],
    [op.text('layer_structure'), latin1(']')],
    [op.text('name'), op.text('h')],
  ]);

function vectors(random) {
  const names = random.pick([
    ['emb_params'],
    ['<cat>'],
    ['clip_l', 'clip_g'],
    ['clip_g'],
    [''],
    ['__proto__'],
    ['a'.repeat(3000)],
    ['emb_params', 'x'],
    ['\u0000'],
  ]);
  const dtype = random.pick(['F32', 'F16', 'BF16', 'I64', 'F64', 'I32', 'U8', 'BOOL']);
  const shape = random.pick([[256], [1, 256], [3, 256], [0, 256], [], [1, 1, 256], [1, 768], [100, 256], [256, 1]]);
  const { start, size } = headerOf(names.map((name) => [name, { dtype, shape }]));
  return concat([start, new Uint8Array(size - start.length)]);
}

export default async function adapters() {
  const pipeline = await loadPipeline(await openFolder(tinyModel()), { backend: graphsOnly(), releaseStages: true });
  return {
    generate(random) {
      const use = random.pick(['inspect', 'attach', 'attach']);
      const kind = random.chance(0.2) ? random.pick(kinds) : undefined;
      const file = random.pick([textualInversion, hypernetwork, vectors]);
      const made = file(random);
      const storage = ['a/data/0', new Uint8Array(8 * 140000), { deflate: true }];
      const bytes = file === vectors ? made : zipOf([['a/data.pkl', made], storage]);
      return { bytes, use, kind, name: random.pick(attachNames) };
    },
    async run({ bytes, use, kind, name }) {
      const source = memorySource({ 'x.pt': bytes });
      if (use === 'inspect') return void (await inspect(source, { path: 'x.pt' }));
      const attached = await pipeline.attach(source, { path: 'x.pt', name, ...(kind !== undefined && { kind }) });
      await pipeline.detach(attached.name);
    },
  };
}
