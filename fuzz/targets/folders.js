// A model's folder whose JSON files have values that no model has: model_index.json, configs, the scheduler's, the
// tokenizer's, the lists of shards. Loaded or inspected; graphs are written, but not run.
import { readFileSync } from 'node:fs';
import { openFolder } from '@sd/backend-node';
import { inspect, loadPipeline } from '@sd/pipeline';
import { mutate, utf8 } from '../bytes.js';
import { tinyModel } from '../fixtures.js';
import { hostileJson, jsonText, mutateJson } from '../json.js';
import { changedSource, graphsOnly, heldSource } from '../sources.js';

const configs = ['unet/config.json', 'vae/config.json', 'text_encoder/config.json', 'scheduler/scheduler_config.json'];
const names = [
  ...configs,
  ...configs,
  'model_index.json',
  'tokenizer/tokenizer_config.json',
  'tokenizer/special_tokens_map.json',
];
const numbers = [
  0,
  1,
  -1,
  2,
  3,
  0.5,
  7,
  1e3,
  1e5,
  1e7,
  1e9,
  2 ** 31,
  2 ** 32,
  2 ** 53,
  1e308,
  -(2 ** 31),
  '64',
  '0',
  null,
];
const lists = [
  ...[[], [0], [-1], [1e9], ['64', '128', '256'], [64, 128], [64, 128, 256, 512], [64.5, 128, 256], [0, 0, 0]],
  ...[[null, null, null], [[64], 128, 256], 64, {}, new Array(1000).fill(64)],
];
const shardMaps = [
  ...[
    {},
    { a: 'b.safetensors' },
    { a: '../../etc/passwd' },
    { a: '/etc/passwd' },
    { a: 5 },
    null,
    [],
    'x',
    { a: 'a\0b' },
  ],
  ...[
    { a: '' },
    { a: '.' },
    { a: 'http://127.0.0.1:1/x' },
    { 'conv_in.weight': 'diffusion_pytorch_model.safetensors' },
  ],
  Object.fromEntries(Array.from({ length: 500 }, (_, i) => [`t${i}`, `f${i}.safetensors`])),
];
const shardLists = ['unet/diffusion_pytorch_model.safetensors.index.json', 'text_encoder/model.safetensors.index.json'];

function configOf(random, value) {
  const config = structuredClone(value);
  if (random.chance(0.4)) return mutateJson(random, config);
  for (let k = random.range(1, 3); k > 0; k--) {
    const key = random.pick(Object.keys(config));
    const pool = Array.isArray(config[key]) ? lists : numbers;
    config[key] = random.chance(0.8) ? random.pick(pool) : hostileJson(random);
  }
  return random.chance(0.02) ? hostileJson(random) : config;
}

export default async function folders() {
  const real = heldSource(await openFolder(tinyModel()));
  const known = Object.fromEntries(names.map((name) => [name, JSON.parse(readFileSync(tinyModel(name), 'utf8'))]));
  return {
    generate(random) {
      const files = {};
      for (let k = random.range(1, 2); k > 0; k--) {
        const name = random.pick(names);
        const bytes = utf8(jsonText(configOf(random, known[name])));
        files[name] = random.chance(0.05) ? mutate(random, bytes, 2) : bytes;
      }
      const gone = random.chance(0.1)
        ? [random.pick([...names, 'unet/diffusion_pytorch_model.safetensors', 'tokenizer/tokenizer.json'])]
        : [];
      if (random.chance(0.05)) {
        const list = random.pick(shardLists);
        gone.push(list.replace('.index.json', ''));
        files[list] = utf8(
          jsonText(random.chance(0.8) ? { metadata: {}, weight_map: random.pick(shardMaps) } : hostileJson(random)),
        );
      }
      return { files, gone, use: random.pick(['inspect', 'load', 'load', 'load']), release: random.chance(0.4) };
    },
    async run({ files, gone, use, release }) {
      const source = changedSource(real, { files, gone });
      if (use === 'inspect') return void (await inspect(source));
      const pipeline = await loadPipeline(source, { backend: graphsOnly(), ...(release && { releaseStages: true }) });
      await pipeline.dispose();
    },
  };
}
