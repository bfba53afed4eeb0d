import { createNodeBackend } from '@sd/backend-node';
import { folder } from '@sd/model-tiny';
import { writeSafetensors } from '@sd/weights';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { sd1 as onDisk } from '../../../../fixtures/golden.js';
import { tensorsOf } from '../../../../fixtures/variants.js';
import { loadPipeline } from '../../src/index.js';
import { counting, edited, filesOf, mockStages, road, sourceOf } from '../support.js';

const backend = createNodeBackend();
let sd1: Map<string, Uint8Array>;
let drawn: Uint8ClampedArray;

const draw = async (...args: Parameters<typeof loadPipeline>) => {
  const sd = await loadPipeline(args[0], { backend, ...args[1] });
  try {
    const { images } = await sd.generate(road);
    return images[0].data;
  } finally {
    await sd.dispose();
  }
};
beforeAll(async () => {
  sd1 = await filesOf();
  drawn = await draw(sourceOf(sd1));
});
afterAll(() => backend.dispose());

describe('a model folder', () => {
  test('gives the same image from a map of bytes as from disk', async () => {
    expect(drawn).toHaveLength(64 * 64 * 4);
    expect(await draw(onDisk)).toEqual(drawn);
  });

  test('is the embedded model by default, and the same by its URL', async () => {
    const embedded = await draw(undefined);
    expect(await draw(folder)).toEqual(embedded);
    expect(await draw(folder.href)).toEqual(embedded);
    expect(embedded).not.toEqual(drawn);
  });
});

test('files of a variant are used on request, or if there are no others', async () => {
  const weights = /(model)(\.safetensors)$/;
  const files = await filesOf(folder);
  const whole = await draw(sourceOf(files));
  const half = new Map([...files].map(([name, bytes]) => [name.replace(weights, '$1.fp16$2'), bytes]));
  expect([...half.keys()].filter((name) => name.includes('.fp16.'))).toHaveLength(3);
  expect(await draw(sourceOf(half))).toEqual(whole);

  const names = [...files.keys()].filter((name) => weights.test(name));
  const both = new Map([...half, ...names.map((name): [string, Uint8Array] => [name, new Uint8Array(4)])]);
  expect(await draw(sourceOf(both), { variant: 'fp16' })).toEqual(whole);
  await expect(loadPipeline(sourceOf(both), { backend })).rejects.toMatchObject({ code: 'bad-checkpoint' });
});

describe('the caller’s stages', () => {
  test('replace the model’s, whose files and classes then do not matter', async () => {
    const { noisePredictor, vae, scheduler } = mockStages();
    const kept = [...sd1].filter(([name]) => !/^(unet|vae|scheduler)\//.test(name));
    const files = edited(new Map(kept), 'model_index.json', { unet: ['diffusers', 'Unknown'], vae: undefined });
    const { backend: counted, counts } = counting(backend);
    const sd = await loadPipeline(sourceOf(files), {
      backend: { ...counted, dispose: async () => {} },
      components: { unet: noisePredictor, vae, scheduler },
    });
    expect(sd.stages).toMatchObject({ noisePredictor, vae, scheduler });
    expect(counts.loaded).toEqual(['text_encoder']);
    expect((await sd.generate(road)).images).toMatchObject([{ width: 64, height: 64 }]);
    await expect(sd.generate({ ...road, scheduler: 'euler' })).rejects.toMatchObject({ option: 'scheduler' });
    await sd.dispose();
    expect(counts.open).toBe(0);
  });

  test('can be the text encoder and its tokenizer, for which no files are read', async () => {
    const [{ tokenizer, textEncoder }] = mockStages().textEncoders;
    const files = new Map([...sd1].filter(([name]) => !/^(text_encoder|tokenizer)\//.test(name)));
    const sd = await loadPipeline(sourceOf(files), { backend, components: { tokenizer, text_encoder: textEncoder } });
    expect(sd.stages.textEncoders).toEqual([{ tokenizer, textEncoder, component: 'text_encoder' }]);
    await sd.dispose();
  });

  test('are refused if the U-Net and the VAE do not fit together', async () => {
    const { noisePredictor } = mockStages();
    await expect(
      loadPipeline(sourceOf(sd1), { backend, components: { unet: { ...noisePredictor, inChannels: 7 } } }),
    ).rejects.toMatchObject({
      code: 'invalid-option',
      option: 'noisePredictor',
      message: expect.stringContaining('7 channels'),
    });
  });
});

test('the scheduler has the index’s class and the config’s values', async () => {
  const files = edited(sd1, 'model_index.json', { scheduler: ['diffusers', 'DDIMScheduler'] });
  const sd = await loadPipeline(sourceOf(files), { backend, releaseStages: true });
  const { prediction, name } = sd.stages.scheduler;
  expect([prediction, name]).toEqual(['epsilon', 'DDIM']);
  expect(sd.stages.scheduler.plan(2).levels.map(({ timestep }) => timestep)).toEqual([501, 1, 0]);
  await sd.dispose();
});

test('a backend that was given is not disposed', async () => {
  const { backend: counted, counts } = counting(backend);
  const sd = await loadPipeline(sourceOf(sd1), { backend: counted });
  expect(counts.loaded.sort()).toEqual(['text_encoder', 'unet', 'vae_decoder']);
  expect(counts.open).toBe(3);
  await sd.dispose();
  expect(counts).toMatchObject({ open: 0, disposed: false });
  expect(await draw(sourceOf(sd1))).toEqual(drawn);
});

test('tensors that no stage uses are reported', async () => {
  const name = 'unet/diffusion_pytorch_model.safetensors';
  const extra = { name: 'ema.decay', dtype: 'F32', shape: [1], bytes: () => new Uint8Array(4) } as const;
  const chunks: Uint8Array[] = [];
  for await (const chunk of writeSafetensors([...(await tensorsOf('unet')), extra])) chunks.push(chunk);
  const sd = await loadPipeline(sourceOf(new Map(sd1).set(name, Buffer.concat(chunks))), { backend });
  expect(sd.warnings).toContainEqual({
    code: 'unused-tensors',
    message: 'unet has tensors that its model does not use: ema.decay.',
  });
  await sd.dispose();
});
