// Whole models and adapters in one safetensors file, as headers over zeros: names, shapes and metadata of real ones
// changed. Loaded, attached or inspected; graphs are written, but not run.
import { readdirSync } from 'node:fs';
import path from 'node:path';
import { openFolder } from '@sd/backend-node';
import { SourceError } from '@sd/core';
import { inspect, loadPipeline } from '@sd/pipeline';
import { openWeights } from '@sd/weights';
import { fixture, tinyModel } from '../fixtures.js';
import { headerOf, readHeader } from '../formats/safetensors.js';
import { hostileJson } from '../json.js';
import { graphsOnly, heldSource, ZerosBlob, zerosSource } from '../sources.js';

const dtypes = ['F64', 'F32', 'F16', 'BF16', 'I64', 'I32', 'I8', 'U8', 'BOOL', 'F8_E4M3', 'F8_E5M2'];
const sizes = [0, 1, 2, 3, 5, 7, 8, 16, 64, 320, 1000, 2 ** 31, 2 ** 40];
const numbers = ['0', '1', '2', '3', '10', '99', '1000000', '00', '-1', '1e3', '9007199254740993'];
const metadataKeys = [
  ...['ss_network_module', 'ss_network_args', 'ss_network_alpha', 'ss_base_model_version', 'modelspec.architecture'],
  ...['modelspec.predict_key', 'lora_adapter_metadata', 'global_step', 'format', 'peft', 'ss_network_dim'],
];
const metadataTexts = [
  ...[
    '',
    'x',
    '{}',
    '[]',
    '{"a":',
    'null',
    'NaN',
    '{"unet.r":1e9}',
    '{"unet.lora_alpha":"x","unet.r":0}',
    'v',
    'epsilon',
  ],
  ...['875000', 'a'.repeat(2000), '{"conv_dim":"-1","algo":"__proto__"}'],
];

function oddName(random, name) {
  const changed = [
    `${name}.x`,
    `${name}.`,
    name.replace('weight', 'bias'),
    name.replace('.', '_'),
    `x.${name}`,
    name.toUpperCase(),
  ];
  return random.pick(['', '.', '__proto__', 'constructor', ...changed]);
}

const changes = [
  (_, entries, i) => entries.splice(i, 1),
  (random, entries, i) => {
    const prefix = entries[i][0].split('.').slice(0, random.range(1, 5)).join('.');
    for (let j = entries.length - 1; j >= 0; j--) if (entries[j][0].startsWith(prefix)) entries.splice(j, 1);
  },
  (random, entries, i) => {
    const { shape } = entries[i][1];
    if (shape.length > 0) shape[random.int(shape.length)] = random.pick(sizes);
  },
  (random, entries, i) => {
    const { shape } = entries[i][1];
    entries[i][1].shape = random.pick([
      [],
      [0],
      [1],
      [1, 1, 1, 1, 1, 1],
      shape.slice(0, -1),
      [...shape, 1],
      [...shape].reverse(),
      [...shape, 3, 3],
    ]);
  },
  (random, entries, i) => {
    entries[i][1].dtype = random.pick(dtypes);
  },
  (random, entries, i) => {
    entries[i][0] = entries[i][0].replace(/\d+/, () => random.pick(numbers));
  },
  (random, entries, i) => {
    entries[i][0] = oddName(random, entries[i][0]);
  },
  (random, entries, i) => {
    const next = entries[i][0].replace(/\d+/, (digits) => String(Number(digits) + random.range(1, 3)));
    entries.push([next, structuredClone(entries[i][1])]);
  },
];

function changedHeader(random, { __metadata__: metadata, ...tensors }) {
  const entries = Object.entries(tensors).map(([name, { dtype, shape }]) => [name, { dtype, shape: [...shape] }]);
  for (let k = random.range(1, 4); k > 0 && entries.length > 0; k--)
    random.pick(changes)(random, entries, random.int(entries.length));
  const ours = random.chance(0.15)
    ? { ...metadata, [random.pick(metadataKeys)]: random.pick(metadataTexts) }
    : metadata;
  return headerOf(entries, random.chance(0.02) ? hostileJson(random) : ours);
}

/** Headers of the files that the fixtures have, and of a whole model. */
async function seeds() {
  const found = ['adapters', 'models'].flatMap((kind) =>
    readdirSync(fixture(kind), { recursive: true })
      .filter((name) => name.endsWith('.safetensors') && !/golden|heun/.test(name))
      .map((name) => ({
        header: readHeader(path.join(fixture(kind), name)),
        isAdapter: kind === 'adapters',
      })),
  );
  const { tensors } = await openWeights(await openFolder(fixture('adapters/single-file')), 'sd1.ckpt');
  const whole = Object.fromEntries([...tensors].map(([name, { dtype, shape }]) => [name, { dtype, shape }]));
  return [...found, { header: whole, isAdapter: false }];
}

/** CLIP's tokenizers, but with the embedded model's vocabulary: CLIP's own takes a second to read. */
function tokenizersOf({ read, size }) {
  const real = (file) => file.replace(/^tokenizer_2\//, 'tokenizer/');
  const has = (file) => file.startsWith('tokenizer/') || file.startsWith('tokenizer_2/');
  return {
    name: 'tokenizers',
    async read(file, range) {
      if (!has(file)) throw new SourceError('not-found', file, `There is no ${file}.`);
      return read(real(file), range);
    },
    size: async (file) => (has(file) ? size(real(file)) : undefined),
  };
}

const inspectFile = (source) => inspect(source, { path: 'x.safetensors' });

export default async function modelFiles() {
  const all = await seeds();
  const folder = heldSource(await openFolder(tinyModel()));
  const config = tokenizersOf(folder);
  const options = { backend: graphsOnly(), releaseStages: true };
  const pipeline = await loadPipeline(folder, options);
  const load = async (...args) => (await loadPipeline(...args)).dispose();
  const uses = {
    inspect: inspectFile,
    async attach(source) {
      const { name } = await pipeline.attach(source, { path: 'x.safetensors', name: 'x' });
      await pipeline.detach(name);
    },
    unet: (file) => load(folder, { ...options, components: { unet: file } }),
    vae: (file) => load(folder, { ...options, components: { vae: file } }),
    load: (source, prediction) =>
      load(source, { path: 'x.safetensors', ...options, config, ...(prediction && { prediction }) }),
  };
  return {
    generate(random) {
      const { header, isAdapter } = random.chance(0.4) ? all.at(-1) : random.pick(all);
      const use = isAdapter
        ? random.pick(['inspect', 'attach', 'attach'])
        : random.pick(['inspect', 'load', 'load', 'unet', 'vae']);
      return {
        ...changedHeader(random, header),
        use,
        prediction: random.pick([undefined, undefined, 'epsilon', 'v_prediction']),
      };
    },
    async run({ start, size, use, prediction }) {
      const isPicked = use === 'unet' || use === 'vae';
      const content = { start, size };
      await uses[use](
        isPicked ? new ZerosBlob('x.safetensors', content) : zerosSource('x.safetensors', content),
        prediction,
      );
    },
  };
}
