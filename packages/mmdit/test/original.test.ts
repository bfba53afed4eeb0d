import { readFileSync } from 'node:fs';
import { openFolder } from '@sd/backend-node';
import { CheckpointError } from '@sd/core';
import { Checkpoint, Config, openWeights, type TensorView } from '@sd/weights';
import { describe, expect, test } from 'vitest';
import { stageError } from '../../../fixtures/deviations.js';
import { fixture } from '../../../fixtures/golden.js';
import { loadMmdit } from '../src/index.js';
import { mmditConfigFromShapes, originalMmditTensors } from '../src/single-file.js';
import { backend, golden, input, sd3 } from './mmdit.js';

const prefix = 'model.diffusion_model.';

/** The transformer in the original file, under diffusers' names. */
async function original(): Promise<Map<string, TensorView>> {
  const { tensors } = await openWeights(await openFolder(fixture('adapters/single-file')), 'sd3.safetensors');
  const selected = [...tensors].filter(([name]) => name.startsWith(prefix));
  return originalMmditTensors(new Map(selected.map(([name, view]) => [name.slice(prefix.length), view])));
}

test('the original names become diffusers’', async () => {
  const folder = await openWeights(await openFolder(`${sd3}/transformer`), 'diffusion_pytorch_model.safetensors');
  const halves = (name: string) => [name.replace(/(?=\.\w+$)/, '.shift'), name.replace(/(?=\.\w+$)/, '.scale')];
  const wanted = [...folder.tensors.keys()].flatMap((name) =>
    /^(norm_out|transformer_blocks\.2\.norm1_context)\./.test(name) ? halves(name) : [name],
  );
  expect([...(await original()).keys()].sort()).toEqual(wanted.sort());
});

test('any other name is unchanged', async () => {
  const names = ['what.is.this', 'joint_blocks.0.x_block.what.weight', 'pos_embed_extra', 'x_embedder.weight'];
  const [view] = (await original()).values();
  const translated = originalMmditTensors(new Map(names.map((name) => [name, view])));
  expect([...translated.keys()]).toEqual(names);
});

test('the original file gives diffusers’ numbers, with a config from its shapes', async () => {
  const tensors = await original();
  const mmdit = await loadMmdit({
    backend,
    checkpoint: new Checkpoint('sd3.safetensors', tensors),
    config: new Config('sd3.safetensors', mmditConfigFromShapes('sd3.safetensors', tensors)),
  });
  const { data } = await mmdit.predict(input(500));
  await mmdit.dispose?.();
  expect(stageError('single-file-sd3', data, golden('transformer.out.t500').data)).toBeLessThan(1e-5);
  expect(mmdit.unusedTensors).toEqual([]);
});

describe('a config from shapes', () => {
  test("equals the folder's, except for the latents' size in training", async () => {
    const { _class_name, _diffusers_version, ...wanted } = JSON.parse(
      readFileSync(`${sd3}/transformer/config.json`, 'utf8'),
    );
    expect(mmditConfigFromShapes('file', await original())).toEqual({ ...wanted, sample_size: 128 });
  });

  test('has heads of width 64 without normalized heads', () => {
    const shapes = { 'pos_embed.proj.weight': [1536, 16, 2, 2], 'proj_out.weight': [64, 1536] };
    const more = { 'context_embedder.weight': [1536, 4096], 'pos_embed.pos_embed': [1, 36864, 1536] };
    const text = { 'time_text_embed.text_embedder.linear_1.weight': [1536, 2048] };
    const tensors = new Map(
      Object.entries({ ...shapes, ...more, ...text }).map(([name, shape]) => [name, { shape }] as const),
    );
    expect(mmditConfigFromShapes('file', tensors)).toMatchObject({
      attention_head_dim: 64,
      num_attention_heads: 24,
      pos_embed_max_size: 192,
      dual_attention_layers: [],
      qk_norm: null,
    });
    tensors.delete('proj_out.weight');
    expect(() => mmditConfigFromShapes('file', tensors)).toThrow(CheckpointError);
    expect(() => mmditConfigFromShapes('file', tensors)).toThrow('has no tensor proj_out.weight');
  });
});
