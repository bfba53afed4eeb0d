import { readFileSync } from 'node:fs';
import { crc32 } from 'node:zlib';
import { createNodeBackend } from '@sd/backend-node';
import { tensor } from '@sd/core';
import { Checkpoint, Config, type TensorView } from '@sd/weights';
import { afterAll, describe, expect, test } from 'vitest';
import { relativeError } from '../../../fixtures/golden.js';
import { loadUnet, unetConfig, unetGraph } from '../src/index.js';
import { originalUnetNames, unetConfigFromShapes } from '../src/single-file.js';

interface Member {
  readonly config: Readonly<Record<string, unknown>>;
  readonly shapes: object;
  readonly output: readonly number[];
}

// Made by data/make_small_members.py.
const members: Readonly<Record<string, Member>> = JSON.parse(
  readFileSync(new URL('data/small-members.json', import.meta.url), 'utf8'),
);

const backend = createNodeBackend({ threads: 1 });
afterAll(() => backend.dispose());

/** Numbers from -1 to 1 that the name and the index decide, as in the script. */
function hashed(name: string, count: number): Float32Array {
  const start = crc32(name);
  return Float32Array.from({ length: count }, (_, i) => {
    let x = (Math.imul(i, 2654435761) + start) >>> 0;
    x = Math.imul(x ^ (x >>> 16), 0x45d9f3b) >>> 0;
    x = Math.imul(x ^ (x >>> 16), 0x45d9f3b) >>> 0;
    return ((x ^ (x >>> 16)) >>> 0) / 2 ** 31 - 1;
  });
}

function weight(name: string, shape: readonly number[]): Float32Array {
  const [count, inputs] = [shape, shape.slice(1)].map((sizes) => sizes.reduce((a, b) => a * b, 1));
  const values = hashed(name, count);
  if (name.includes('norm')) return values.map((value) => value * 0.25 + (name.endsWith('weight') ? 1 : 0));
  const scale = Math.fround(1.5 / Math.sqrt(Math.max(16, inputs)));
  return values.map((value) => value * scale);
}

function viewsOf(shapes: object, path = ''): [string, TensorView][] {
  return Object.entries(shapes).flatMap(([key, inner]): [string, TensorView][] => {
    const name = `${path}${key}`;
    if (!Array.isArray(inner)) return viewsOf(inner, `${name}.`);
    const read = async () => new Uint8Array(weight(name, inner).buffer);
    const length = 4 * inner.reduce((a, b) => a * b, 1);
    return [[name, { name, dtype: 'F32', shape: inner, file: { location: name, read }, offset: 0, length }]];
  });
}

const float32 = (name: string, dims: readonly number[]) =>
  tensor(
    'float32',
    dims,
    hashed(
      name,
      dims.reduce((a, b) => a * b, 1),
    ),
  );
const input = {
  sample: float32('sample', [1, 4, 8, 8]),
  timestep: 500,
  context: float32('context', [1, 7, 24]),
};
const conditions = {
  text_embeds: float32('text_embeds', [1, 16]),
  time_ids: tensor('float32', [1, 6], Float32Array.of(64, 64, 0, 0, 64, 64)),
};

const topLevel: Readonly<Record<string, string>> = {
  conv_in: 'input_blocks.0.0',
  conv_norm_out: 'out.0',
  conv_out: 'out.2',
  'time_embedding.linear_1': 'time_embed.0',
  'time_embedding.linear_2': 'time_embed.2',
  'add_embedding.linear_1': 'label_emb.0.0',
  'add_embedding.linear_2': 'label_emb.0.2',
};
const inResnet: Readonly<Record<string, string>> = {
  norm1: 'in_layers.0',
  conv1: 'in_layers.2',
  time_emb_proj: 'emb_layers.1',
  norm2: 'out_layers.0',
  conv2: 'out_layers.3',
  conv_shortcut: 'skip_connection',
};

/** Names as the original code gives them: blocks are numbered through, and an upsampler is in the block before it. */
function originalNamer(names: readonly string[]): (name: string) => string {
  const blocks: { down: string[]; up: string[] } = { down: ['conv_in'], up: [] };
  for (const name of names) {
    const [at, side] = /^(down|up)_blocks\.\d+\.(resnets|downsamplers)\.\d+/.exec(name) ?? [];
    if (at !== undefined && !blocks[side as 'down' | 'up'].includes(at)) blocks[side as 'down' | 'up'].push(at);
  }
  const order = (a: string, b: string) =>
    a.replace('resnets', 'a').localeCompare(b.replace('resnets', 'a'), 'en', { numeric: true });
  blocks.down.sort((a, b) => (a === 'conv_in' ? -1 : b === 'conv_in' ? 1 : order(a, b)));
  blocks.up.sort(order);
  const inner = (kind: string, module: string) => (kind === 'resnets' ? inResnet[module] : module);
  return (name) => {
    const [, module, end] = /^(.+)\.(weight|bias)$/.exec(name)!;
    if (topLevel[module] !== undefined) return `${topLevel[module]}.${end}`;
    const [, side, level, kind, index, rest] = /^(down|up|mid)_blocks?\.?(\d*)\.(\w+)\.(\d+)\.(.+)$/.exec(module)!;
    if (side === 'mid')
      return `middle_block.${kind === 'attentions' ? 1 : 2 * Number(index)}.${inner(kind, rest)}.${end}`;
    if (kind === 'downsamplers')
      return `input_blocks.${blocks.down.indexOf(`down_blocks.${level}.downsamplers.0`)}.0.op.${end}`;
    if (kind === 'upsamplers') {
      const own = blocks.up.filter((at) => at.startsWith(`up_blocks.${level}.`));
      const hasAttention = names.some((other) => other.startsWith(`up_blocks.${level}.attentions.`));
      return `output_blocks.${blocks.up.indexOf(own.at(-1)!)}.${hasAttention ? 2 : 1}.conv.${end}`;
    }
    const list = side === 'down' ? blocks.down : blocks.up;
    const number = list.indexOf(`${side}_blocks.${level}.resnets.${index}`);
    return `${side === 'down' ? 'input' : 'output'}_blocks.${number}.${kind === 'resnets' ? 0 : 1}.${inner(kind, rest)}.${end}`;
  };
}

describe.each(Object.keys(members))('%s', (name) => {
  const { config, shapes, output } = members[name];
  const tensors = new Map(viewsOf(shapes));
  const read = new Config('config.json', config);

  test('gives the same output as diffusers, with all its tensors', async () => {
    const unet = await loadUnet({ backend, config: read, checkpoint: new Checkpoint(name, tensors) });
    const added = config.addition_embed_type === undefined ? {} : { conditions };
    const { data } = await unet.predict({ ...input, ...added });
    await unet.dispose?.();
    expect(unet.unusedTensors).toEqual([]);
    expect(relativeError(data, output)).toBeLessThan(1e-5);
  });

  test('has diffusers’ names for the original ones', () => {
    const names = [...tensors.keys()];
    const original = names.map(originalNamer(names));
    expect(new Set(original).size).toBe(names.length);
    expect(original.map(originalUnetNames(original))).toEqual(names);
  });

  test('is the same by its tensors alone', () => {
    const told = ['sample_size', 'norm_num_groups', 'attention_head_dim', 'addition_time_embed_dim'];
    const known = Object.fromEntries(told.flatMap((key) => (config[key] === undefined ? [] : [[key, config[key]]])));
    const found = new Config('x', unetConfigFromShapes('x', tensors, known));
    const graphOf = (from: Config) => unetGraph(new Checkpoint(name, tensors), unetConfig(from)).graph;
    expect(Buffer.compare(graphOf(found), graphOf(read))).toBe(0);
  });
});
