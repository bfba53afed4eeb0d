import { copyFile, mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { createNodeBackend } from '@sd/backend-node';
import { CheckpointError, row, tensor } from '@sd/core';
import { createImage } from '@sd/image';
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import { fixture } from '../../../../fixtures/golden.js';
import { type GenerateOptions, loadPipeline, type Pipeline } from '../../src/index.js';
import { loadInpainting } from '../start-support.js';
import { road, sourceOf } from '../support.js';
import { torchFile } from '../torch-file.js';

const backend = createNodeBackend({ threads: 1 });
let sd: Pipeline;
beforeAll(async () => {
  sd = await loadPipeline(fixture('models/sd1'), { backend });
});
afterEach(async () => {
  for (const { name } of sd.attached) await sd.detach(name);
});
afterAll(async () => {
  await sd.dispose();
  await backend.dispose();
});

const adapter = (name: string) => fixture(`adapters/${name}`);
const word = `${adapter('textual-inversion')}/blob.pt`;
const motion = `${adapter('animatediff')}/motion`;

/** Expects that a run is refused because of an option. */
const refused = (option: string, options: object) =>
  expect(sd.generate({ ...road, ...options } as GenerateOptions)).rejects.toMatchObject({
    code: 'invalid-option',
    option,
  });

describe('strengths', () => {
  test('are numbers for a word, and numbers or functions for a hypernetwork', async () => {
    await sd.attach(word);
    await sd.attach(`${adapter('hypernetwork')}/hypernetwork.pt`);
    await refused('adapters.blob', { adapters: { blob: { unet: 1 } } });
    await refused('adapters.blob', { adapters: { blob: () => 1 } });
    await refused('adapters.hypernetwork', { adapters: { hypernetwork: { unet: 1 } } });
  });

  test('are 1 by default, whatever the adapter’s name', async () => {
    await sd.attach(word, { name: 'constructor' });
    const drawn = async (adapters: Record<string, number>) =>
      (await sd.generate({ ...road, prompt: 'a constructor', adapters })).images[0].data;
    expect(await drawn({})).toEqual(await drawn({ constructor: 1 }));
    expect(await drawn({})).not.toEqual(await drawn({ constructor: 0.5 }));
  });

  test('are named for a ControlNet if a later step gives NaN', async () => {
    await sd.attach(`${adapter('controlnet')}/canny`);
    const image = await readFile(`${adapter('controlnet')}/canny.png`);
    const strength = (fraction: number) => (fraction > 0 ? Number.NaN : 1);
    await refused('adapters.canny.strength', { adapters: { canny: { image, strength } } });
    await refused('adapters.canny[1].strength', { adapters: { canny: [{ image }, { image, strength }] } });
    await refused('adapters.canny.name', { adapters: { canny: { name: 'canny', image } } });
    await refused('adapters.canny.image', { adapters: { canny: {} } });
    await refused('adapters.canny', { adapters: { canny: 0.5 } });
  });
});

describe('clips', () => {
  const clip = { ...road, adapters: { motion: { frames: 2 } }, count: 2 };

  test('the latents of two clips of two frames are those of four images', async () => {
    await sd.attach(motion);
    const { images } = await sd.generate(clip);
    const { latents, seeds } = await sd.generate({ ...clip, output: 'latents' });
    expect(seeds).toEqual([1, 2]);
    expect(latents?.dims).toEqual([4, 4, 8, 8]);
    const size = 4 * 8 * 8;
    for (const [i, { data }] of images.entries()) {
      const frame = tensor('float32', [1, 4, 8, 8], latents?.data.slice(i * size, (i + 1) * size));
      const decoded = await sd.stages.vae.decode(frame);
      const { data: image } = createImage(row(decoded, 0));
      expect(image).toEqual(data);
    }
  });

  test('a preview is of one frame, by default the middle one', async () => {
    await sd.attach(motion);
    const { vae } = sd.stages;
    for await (const event of sd.stream({ ...clip, count: 1, steps: 1 })) {
      if (event.type !== 'step') continue;
      const { frames, denoised, preview } = event;
      expect([frames, denoised.dims]).toEqual([2, [1, 4, 16, 8]]);
      const previews = await Promise.all([preview(0), preview(1), preview()]);
      for (const [i, { width, height, data }] of previews.entries()) {
        expect([width, height]).toEqual([8, 8]);
        const latents = tensor('float32', [1, 4, 8, 8]);
        const frame = Math.min(i, 1);
        for (let c = 0; c < 4; c++)
          latents.data.set(denoised.data.subarray((2 * c + frame) * 64, (2 * c + frame + 1) * 64), c * 64);
        expect(data).toEqual(createImage(row(await (vae.preview ?? vae.decode).call(vae, latents), 0)).data);
      }
      expect(previews[0].data).not.toEqual(previews[1].data);
      for (const frame of [2, -1, 0.5, '0' as never]) {
        await expect(preview(frame)).rejects.toMatchObject({ code: 'invalid-option', option: 'frame' });
      }
    }
  });

  test('unsupported options are refused', async () => {
    await sd.attach(motion);
    const { latents } = await sd.generate({ ...road, adapters: { motion: { frames: 1 } }, output: 'latents' });
    await refused('latents', { ...clip, latents });
    await refused('adapters.motion.frames', { adapters: { motion: { frames: 1000 } } });
    await refused('adapters.motion.frames', { adapters: { motion: { frames: 0 } } });
    await refused('adapters.motion.length', { adapters: { motion: { length: 2 } } });
    await sd.attach(`${adapter('controlnet')}/canny`);
    const image = await readFile(`${adapter('controlnet')}/canny.png`);
    await refused('adapters.canny', { ...clip, adapters: { ...clip.adapters, canny: { image } } });
    await sd.detach('canny');
    await expect(sd.attach(motion, { name: 'other' })).rejects.toThrow(
      'attach: is for one motion adapter at a time: detach "motion" first.',
    );
    expect(sd.attached).toEqual([{ name: 'motion', kind: 'motion-adapter' }]);
  });
});

test('a textual inversion without a tensor is refused', async () => {
  const source = sourceOf(new Map([['empty.pt', await torchFile([], 0, 'string_to_param')]]));
  await expect(sd.attach(source, { path: 'empty.pt', kind: 'textual-inversion' })).rejects.toThrow(CheckpointError);
  expect(sd.attached).toEqual([]);
});

test('a ControlNet acts on an inpainting model, without its mask and image', async () => {
  const inpainting = await loadInpainting();
  try {
    await inpainting.attach(`${adapter('controlnet')}/canny`);
    const image = await readFile(`${adapter('controlnet')}/canny.png`);
    const mask = { width: 64, height: 64, data: new Uint8ClampedArray(64 * 64 * 4).fill(255) };
    const drawn = async (strength: number) => {
      const adapters = { canny: { image, strength } };
      return (await inpainting.generate({ ...road, image, mask, fit: 'cover', adapters })).images[0].data;
    };
    expect(await drawn(1)).not.toEqual(await drawn(0));
  } finally {
    await inpainting.dispose();
  }
});

test('a folder is attached by the file of weights in it', async () => {
  for (const kind of [undefined, 'lora']) {
    expect(await sd.attach(adapter('lora-peft'), { name: 'style', kind })).toMatchObject({
      kind: 'lora',
      warnings: [],
    });
    await sd.detach('style');
  }
  await expect(sd.attach(adapter('controlnet/canny'), { kind: 'lora' })).rejects.toThrow(
    /is not a file of weights: such adapters are \.safetensors, \.pt or \.bin files\.$/,
  );
});

test('a file’s name can have a URL delimiter', async () => {
  const folder = await mkdtemp(path.join(tmpdir(), 'attach-'));
  try {
    await copyFile(`${adapter('lora-kohya')}/style.safetensors`, path.join(folder, 'style #2.safetensors'));
    expect(await sd.attach(path.join(folder, 'style #2.safetensors'))).toMatchObject({ name: 'style #2' });
  } finally {
    await rm(folder, { recursive: true });
  }
});
