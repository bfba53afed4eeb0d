import type { Backend } from '@sd/core';
import { CheckpointError, SdError } from '@sd/core';
import { describe, expect, test } from 'vitest';
import { loadPipeline } from '../../src/index.js';
import { edited, filesOf, sourceOf } from '../support.js';

/** A backend that loads anything and runs nothing. */
const backend: Backend = {
  provider: 'cpu',
  load: async () => ({ inputs: [], outputs: [], run: async () => ({}), dispose: async () => {} }),
  dispose: async () => {},
};
const files = await filesOf();

/** What loading with a changed config comes to. */
async function loaded(file: string, change: object): Promise<unknown> {
  const source = sourceOf(edited(files, file, change));
  const sd = await loadPipeline(source, { backend }).catch((error: unknown) => error);
  if (sd instanceof Error) return sd;
  await (sd as Awaited<ReturnType<typeof loadPipeline>>).dispose();
  return undefined;
}

const configs = [
  'unet/config.json',
  'vae/config.json',
  'text_encoder/config.json',
  'scheduler/scheduler_config.json',
  'tokenizer/tokenizer_config.json',
];
const impossible = [-1, 0.5, 1e9];

/** Every number in a config, and every list of numbers, with an impossible value in its place. */
function changes(file: string): [string, object][] {
  const values: Record<string, unknown> = JSON.parse(new TextDecoder().decode(files.get(file)));
  return Object.entries(values).flatMap(([key, value]): [string, object][] => {
    if (typeof value === 'number') return impossible.map((number) => [`${key}: ${number}`, { [key]: number }]);
    if (!Array.isArray(value) || typeof value[0] !== 'number') return [];
    return impossible.map((number) => [`${key}[0]: ${number}`, { [key]: [number, ...value.slice(1)] }]);
  });
}

describe('every number of a config has bounds', () => {
  test.each(configs)('%s', async (file) => {
    const before = process.memoryUsage();
    for (const [, change] of changes(file)) {
      const error = await loaded(file, change);
      if (error !== undefined) expect(SdError.isInstance(error) ? undefined : error).toBeUndefined();
    }
    const { heapTotal, arrayBuffers } = process.memoryUsage();
    expect(heapTotal + arrayBuffers - before.heapTotal - before.arrayBuffers).toBeLessThan(3e8);
  });

  test.each([
    ['unet/config.json', { layers_per_block: -1 }],
    ['unet/config.json', { norm_num_groups: 0 }],
    ['unet/config.json', { norm_num_groups: 1e9 }],
    ['unet/config.json', { norm_num_groups: 7 }],
    ['unet/config.json', { norm_eps: -1 }],
    ['unet/config.json', { norm_eps: 1e308 }],
    ['unet/config.json', { attention_head_dim: 0 }],
    ['unet/config.json', { attention_head_dim: -8 }],
    ['unet/config.json', { attention_head_dim: 7 }],
    ['unet/config.json', { sample_size: 1e9 }],
    ['unet/config.json', { sample_size: 0.5 }],
    ['unet/config.json', { in_channels: -4 }],
    ['unet/config.json', { block_out_channels: [-64, 128, 256] }],
    ['unet/config.json', { transformer_layers_per_block: -1 }],
    ['unet/config.json', { transformer_layers_per_block: 1e9 }],
    ['unet/config.json', { freq_shift: 1e308 }],
    ['unet/config.json', { time_cond_proj_dim: 1e9 }],
    ['vae/config.json', { latent_channels: 1e9 }],
    ['vae/config.json', { latent_channels: 0.5 }],
    ['vae/config.json', { layers_per_block: -1 }],
    ['vae/config.json', { scaling_factor: 0 }],
    ['vae/config.json', { scaling_factor: 1e308 }],
    ['vae/config.json', { latents_std: [0, 1, 1, 1] }],
    ['text_encoder/config.json', { num_hidden_layers: -1 }],
    ['text_encoder/config.json', { num_hidden_layers: 0 }],
    ['text_encoder/config.json', { num_attention_heads: 0 }],
    ['text_encoder/config.json', { eos_token_id: -1 }],
    ['text_encoder/config.json', { layer_norm_eps: 1e308 }],
    ['scheduler/scheduler_config.json', { num_train_timesteps: 1e8 }],
    ['scheduler/scheduler_config.json', { num_train_timesteps: 0 }],
    ['scheduler/scheduler_config.json', { trained_betas: [] }],
  ])('%s %j is refused, and the key named', async (file, change) => {
    const error = await loaded(file, change);
    expect(error).toBeInstanceOf(CheckpointError);
    expect(error).toMatchObject({ code: 'bad-config', message: expect.stringContaining(Object.keys(change)[0]) });
  });

  test.each(['null', '5', '[]', '"x"'])('a config that is %s', async (text) => {
    for (const file of [...configs, 'model_index.json']) {
      const changed = new Map(files).set(file, new TextEncoder().encode(text));
      const error = await loadPipeline(sourceOf(changed), { backend }).catch((error: unknown) => error);
      if (file === 'tokenizer/tokenizer_config.json' && text === 'null') continue;
      expect(error).toMatchObject({ code: 'bad-config' });
    }
  });
});
