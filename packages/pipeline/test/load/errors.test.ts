import { mkdir, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { createNodeBackend } from '@sd/backend-node';
import type { Source } from '@sd/core';
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest';
import { loadPipeline } from '../../src/index.js';
import { counting, edited, filesOf, sourceOf } from '../support.js';

const unet = 'unet/diffusion_pytorch_model.safetensors';
let files: Map<string, Uint8Array>;
let root: string;
beforeAll(async () => {
  files = await filesOf();
  root = await mkdtemp(path.join(tmpdir(), 'pipeline-'));
});
afterAll(() => rm(root, { recursive: true }));

const created = vi.hoisted(() => [] as { counts: ReturnType<typeof counting>['counts'] }[]);
vi.mock('@sd/backend-node', async (original) => {
  const actual = await original<typeof import('@sd/backend-node')>();
  return {
    ...actual,
    async createDeviceBackend() {
      const counted = counting(actual.createNodeBackend());
      created.push(counted);
      return counted.backend;
    },
  };
});

/** The error that loading rejects with. Expects that a backend it created was disposed, with no session open. */
async function failure(changed: ReadonlyMap<string, Uint8Array>): Promise<unknown> {
  created.length = 0;
  const error = await loadPipeline(sourceOf(changed)).then(
    () => undefined,
    (error) => error,
  );
  expect(created.filter(({ counts }) => !counts.disposed || counts.open > 0)).toEqual([]);
  return error;
}
const without = (name: string) => new Map([...files].filter(([other]) => other !== name));
const text = (value: string) => new TextEncoder().encode(value);

describe('missing files are named', () => {
  test('a folder that does not exist', async () => {
    const nowhere = path.join(root, 'nowhere');
    await expect(loadPipeline(nowhere)).rejects.toMatchObject({ code: 'not-found', path: nowhere });
  });

  test('the index of an empty folder', async () => {
    const empty = path.join(root, 'empty');
    await mkdir(empty);
    const index = path.join(empty, 'model_index.json');
    await expect(loadPipeline(empty)).rejects.toMatchObject({ code: 'not-found', path: index });
  });

  test.each([
    ['unet/config.json'],
    ['text_encoder/config.json'],
    ['vae/config.json'],
    ['scheduler/scheduler_config.json'],
  ])('%s', async (name) => {
    expect(await failure(without(name))).toMatchObject({ code: 'not-found', path: name });
  });

  test('weights, with all the names that were tried', async () => {
    expect(await failure(without(unet))).toMatchObject({
      code: 'not-found',
      path: 'unet',
      message: expect.stringContaining('unet/diffusion_pytorch_model.fp16.safetensors'),
    });
  });

  test('the vocabulary', async () => {
    expect(await failure(without('tokenizer/tokenizer.json'))).toMatchObject({
      code: 'not-found',
      path: 'tokenizer/vocab.json',
    });
  });
});

describe('broken files are named', () => {
  test.each([['unet/config.json'], ['scheduler/scheduler_config.json'], ['tokenizer/tokenizer.json']])(
    'JSON: %s',
    async (name) => {
      expect(await failure(new Map(files).set(name, text('{"a": ')))).toMatchObject({ code: 'bad-config', file: name });
    },
  );

  test('a value of the scheduler’s config', async () => {
    const file = 'scheduler/scheduler_config.json';
    expect(await failure(edited(files, file, { beta_schedule: 'scaled' }))).toMatchObject({
      code: 'bad-config',
      file,
      message: expect.stringContaining('beta_schedule'),
    });
  });

  test('truncated weights, with the tensor', async () => {
    const bytes = files.get(unet) ?? new Uint8Array();
    expect(await failure(new Map(files).set(unet, bytes.subarray(0, -1000)))).toMatchObject({
      code: 'bad-checkpoint',
      file: unet,
      message: expect.stringMatching(/the tensor \S+ ends at byte \d+ of \d+/),
    });
    expect(await failure(new Map(files).set(unet, bytes.subarray(0, 100)))).toMatchObject({
      code: 'bad-checkpoint',
      file: unet,
      message: expect.stringMatching(/claims a header of \d+ bytes in a file of 100/),
    });
  });

  test('tensors that contradict the config', async () => {
    expect(await failure(edited(files, 'unet/config.json', { cross_attention_dim: 48 }))).toMatchObject({
      code: 'misshapen-tensor',
      file: unet,
      tensor: expect.stringMatching(/attn2\.to_[kv]\.weight$/),
    });
    expect(await failure(edited(files, 'unet/config.json', { layers_per_block: 2 }))).toMatchObject({
      code: 'missing-tensor',
      file: unet,
      tensor: expect.stringContaining('resnets.1.'),
    });
  });
});

test('if one stage cannot be loaded, no session of the others stays open on a backend that was given', async () => {
  const { backend: counted, counts } = counting(createNodeBackend());
  const backend = {
    ...counted,
    load: async (...[model, options]: Parameters<typeof counted.load>) => {
      const session = await counted.load(model, options);
      if (model.name !== 'vae_decoder') return session;
      await session.dispose();
      throw new Error('no memory');
    },
  };
  await expect(loadPipeline(sourceOf(files), { backend })).rejects.toThrow('no memory');
  expect(counts.loaded.sort()).toEqual(['text_encoder', 'unet', 'vae_decoder']);
  expect(counts).toMatchObject({ open: 0, disposed: false });
  await counted.dispose();
});

test.each([
  [{ colour: 1 }, 'colour', 'is not an option of loadPipeline(). Its options are backend, device, dtype, '],
  [{ releaseStages: 'yes' }, 'releaseStages', 'must be true or false, not "yes"'],
  [{ backend: {} }, 'backend', 'must be an object with load(model)'],
  [{ signal: 'now' }, 'signal', 'must be an AbortSignal'],
  [{ components: 'unet' }, 'components', 'must be an object of stages and files by name, not "unet"'],
  [{ components: null }, 'components', 'must be an object of stages and files by name, not null'],
  [
    { components: { uNet: {} } },
    'components.uNet',
    'is not a component of Stable Diffusion 1. Its components are tokenizer, text_encoder, unet, vae, preview_vae, scheduler.',
  ],
  [{ components: { transformer: 'somewhere' } }, 'components.transformer', 'is not a component of Stable Diffusion 1.'],
  [{ components: { unet: 5 } }, 'components.unet', 'must be a stage or files, not 5'],
  [{ components: { vae: null } }, 'components.vae', 'is needed by Stable Diffusion 1'],
  [{ components: { scheduler: 'euler' } }, 'components.scheduler', 'must be a stage: its files belong to the model’s'],
])('impossible options are refused: %j', async (options, option, why) => {
  const refusal = loadPipeline(sourceOf(files), options as object);
  await expect(refusal).rejects.toMatchObject({ option, message: expect.stringContaining(why) });
});

test('an aborted load rejects with an AbortError and leaves nothing open', async () => {
  await expect(loadPipeline(sourceOf(files), { signal: AbortSignal.abort() })).rejects.toMatchObject({
    code: 'aborted',
  });
  created.length = 0;
  const controller = new AbortController();
  const { read } = sourceOf(files);
  const source: Source = {
    read(name, range) {
      if (name === unet) controller.abort('enough');
      return read(name, range);
    },
  };
  const loading = loadPipeline(source, { signal: controller.signal });
  await expect(loading).rejects.toMatchObject({ name: 'AbortError', code: 'aborted', cause: 'enough' });
  expect(created.map(({ counts }) => [counts.disposed, counts.open])).toEqual([[true, 0]]);
});
