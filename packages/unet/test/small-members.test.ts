import { readFileSync } from 'node:fs';
import { crc32 } from 'node:zlib';
import { createNodeBackend } from '@sd/backend-node';
import { tensor } from '@sd/core';
import { Checkpoint, Config, type TensorView } from '@sd/weights';
import { afterAll, describe, expect, test } from 'vitest';
import { relativeError } from '../../../fixtures/golden.js';
import { loadUnet, unetConfig, unetGraph } from '../src/index.js';
import { unetConfigFromShapes } from '../src/single-file.js';

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

  test('is the same by its tensors alone', () => {
    const told = ['sample_size', 'norm_num_groups', 'attention_head_dim', 'addition_time_embed_dim'];
    const known = Object.fromEntries(told.flatMap((key) => (config[key] === undefined ? [] : [[key, config[key]]])));
    const found = new Config('x', unetConfigFromShapes('x', tensors, known));
    const graphOf = (from: Config) => unetGraph(new Checkpoint(name, tensors), unetConfig(from)).graph;
    expect(Buffer.compare(graphOf(found), graphOf(read))).toBe(0);
  });
});
