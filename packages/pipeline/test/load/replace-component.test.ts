import { cp, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { openFolder } from '@sd/backend-node';
import { openSafetensors, type TensorToWrite, writeSafetensors } from '@sd/weights';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { fixture } from '../../../../fixtures/golden.js';
import { renamed } from '../../../../fixtures/variants.js';
import { type LoadPipelineOptions, loadPipeline } from '../../src/index.js';
import { road } from '../support.js';

const sd1 = fixture('models/sd1');
const single = path.join(fixture('adapters/single-file'), 'sd1.safetensors');
const inpainting = path.join(fixture('models/sd1-inpaint'), 'unet');

let temporary: string;
let plain: number[];
beforeAll(async () => {
  temporary = await mkdtemp(path.join(tmpdir(), 'parts-'));
  plain = await drawn({});
});
afterAll(() => rm(temporary, { recursive: true }));

async function drawn(options: LoadPipelineOptions, model = sd1): Promise<number[]> {
  const sd = await loadPipeline(model, options);
  try {
    expect(sd.warnings.filter(({ code }) => code === 'unused-tensors')).toEqual([]);
    return Array.from((await sd.generate({ ...road, guidanceScale: 2 })).images[0].data);
  } finally {
    await sd.dispose();
  }
}

async function tensorsOf(file: string): Promise<TensorToWrite[]> {
  const source = await openFolder(path.dirname(file));
  const { tensors } = await openSafetensors(source, path.basename(file));
  const bytes = await source.read(path.basename(file));
  return [...tensors.values()].map(({ offset, length, ...view }) => ({
    ...view,
    bytes: () => bytes.subarray(offset, offset + length),
  }));
}

async function written(name: string, tensors: readonly TensorToWrite[]): Promise<string> {
  const file = path.join(temporary, name);
  await writeFile(file, writeSafetensors(tensors));
  return file;
}

/** A component of the original file alone, with its prefix or without. */
async function partOf(prefix: string, bare: boolean): Promise<string> {
  const selected = (await tensorsOf(single)).filter(({ name }) => name.startsWith(prefix));
  const names = selected.map((tensor) => (bare ? renamed(tensor, tensor.name.slice(prefix.length)) : tensor));
  return written(`${prefix}${bare}.safetensors`, names);
}

describe.each([
  ['unet', 'model.diffusion_model.'],
  ['vae', 'first_stage_model.'],
] as const)('a file’s %s in place of the model’s gives the same image', (part, prefix) => {
  test('in diffusers’ layout', async () => {
    expect(
      await drawn({ components: { [part]: path.join(sd1, part, 'diffusion_pytorch_model.safetensors') } }),
    ).toEqual(plain);
  });

  test('in the original layout, with its prefix and without', async () => {
    for (const bare of [true, false])
      expect(await drawn({ components: { [part]: await partOf(prefix, bare) } })).toEqual(plain);
  });

  test('from a whole model, and from a folder', async () => {
    expect(await drawn({ components: { [part]: single } })).toEqual(plain);
    expect(await drawn({ components: { [part]: path.join(sd1, part) } })).toEqual(plain);
  });
});

test('another U-Net is used, with its number of channels', async () => {
  const sd = await loadPipeline(sd1, {
    components: { unet: path.join(inpainting, 'diffusion_pytorch_model.safetensors') },
  });
  await sd.dispose();
  expect(sd.stages.noisePredictor.inChannels).toBe(9);
});

test('a model in one file can have another VAE', async () => {
  const vae = path.join(sd1, 'vae', 'diffusion_pytorch_model.safetensors');
  const tensors = (await tensorsOf(single)).filter(({ name }) => !name.startsWith('first_stage_model.'));
  const file = await written('without-vae.safetensors', tensors);
  const config = path.join(temporary, 'config');
  await cp(sd1, config, { recursive: true });
  expect(await drawn({ config, components: { vae } }, file)).toEqual(plain);
});

test('a file without the component is refused', async () => {
  await expect(loadPipeline(sd1, { components: { unet: await partOf('first_stage_model.', true) } })).rejects.toThrow(
    /first_stage_model\.true\.safetensors: has no unet: its first tensor is /,
  );
  await expect(loadPipeline(sd1, { components: { vae: path.join(sd1, 'nothing.safetensors') } })).rejects.toMatchObject(
    {
      code: 'not-found',
    },
  );
});

describe('a tiny autoencoder', () => {
  const folder = fixture('models/taesd');
  const file = path.join(folder, 'diffusion_pytorch_model.safetensors');

  /** The tensors of one half, named as in TAESD's original files. */
  async function half(name: 'encoder' | 'decoder'): Promise<TensorToWrite[]> {
    const selected = (await tensorsOf(file)).filter((tensor) => tensor.name.startsWith(`${name}.`));
    return selected.map((tensor) => {
      const [, , number, ...rest] = tensor.name.split('.');
      return renamed(tensor, [Number(number) + (name === 'decoder' ? 1 : 0), ...rest].join('.'));
    });
  }

  test('under diffusers’ names, or in its authors’ two files, is the same as its folder', async () => {
    const whole = await drawn({ components: { vae: folder } });
    expect(whole).not.toEqual(plain);
    expect(await drawn({ components: { vae: file } })).toEqual(whole);
    const decoder = await written('taesd_decoder.safetensors', await half('decoder'));
    await expect(loadPipeline(sd1, { components: { vae: decoder } })).rejects.toThrow(
      /is only the decoder of a tiny autoencoder\. Put its encoder in the same folder, as taesd_encoder\.safetensors\./,
    );
    await written('taesd_encoder.safetensors', await half('encoder'));
    expect(await drawn({ components: { vae: decoder } })).toEqual(whole);
  });
});
