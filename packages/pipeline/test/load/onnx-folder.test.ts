import { readFile } from 'node:fs/promises';
import { createNodeBackend, openFolder } from '@sd/backend-node';
import { type Source, SourceError } from '@sd/core';
import { describe, expect, test } from 'vitest';
import { fixture, readGolden } from '../../../../fixtures/golden.js';
import { type GenerateOptions, loadPipeline, type Pipeline } from '../../src/index.js';
import { compareRun, road } from '../start-support.js';
import { using } from '../support.js';

const size = { width: 96, height: 64, steps: 6 };
const exported = (name: string) => fixture(`models/${name}`);
const nets = fixture('adapters/controlnet-onnx');
const controlNet = fixture('adapters/controlnet');

/** A folder with some files removed or replaced. */
async function changed(
  folder: string,
  change: (path: string) => Uint8Array | undefined | 'unchanged',
): Promise<Source> {
  const source = await openFolder(folder);
  return {
    name: 'changed',
    async read(path, range) {
      const bytes = change(path);
      if (bytes === undefined) throw new SourceError('not-found', path, `${path} does not exist.`);
      return bytes === 'unchanged' ? source.read(path, range) : bytes.subarray(range?.start, range?.end);
    },
    async size(path) {
      const bytes = change(path);
      return bytes === 'unchanged' ? source.size?.(path) : bytes?.length;
    },
  };
}

describe('exported folders generate what diffusers generates from the checkpoint', () => {
  test.each(['sd1-onnx', 'sd1-onnx-old', 'sd1-onnx-script', 'sdxl-onnx'])('%s', async (name) => {
    const golden = readGolden('golden.safetensors', exported(name.split('-')[0]));
    await using(loadPipeline(exported(name)), async (sd) => {
      expect(sd.warnings.filter(({ code }) => code !== 'part-skipped')).toEqual([]);
      const { levels } = sd.stages.scheduler.plan(6);
      const options = { row: name, levels: name === 'sdxl-onnx' ? levels : undefined };
      const { latents, colours } = await compareRun(sd, golden, 'run', { ...road, ...size }, options);
      expect(latents).toBeLessThan(1e-3);
      expect(colours).toBeLessThanOrEqual(1);
    });
  });

  test.each(['sd1-onnx', 'sd1-onnx-old', 'sd1-onnx-script'])('%s starts from images, with its seed', async (name) => {
    const folder = fixture('adapters/from-picture');
    const image = await readFile(`${folder}/image.png`);
    await using(loadPipeline(exported(name)), async (sd) => {
      const run = { ...road, image, steps: 10, strength: 0.6 };
      const { latents, colours } = await compareRun(sd, readGolden('golden.safetensors', folder), 'img2img.run', run, {
        row: name,
      });
      expect(latents).toBeLessThan(1e-3);
      expect(colours).toBeLessThanOrEqual(1);
    });
  });

  test('from a source that cannot be mapped, as in browsers, with releaseStages', async () => {
    const source = await changed(exported('sd1-onnx-script'), () => 'unchanged');
    await using(loadPipeline(source, { releaseStages: true }), async (sd) => {
      const { latents } = await compareRun(sd, readGolden(), 'run', { ...road, ...size }, { row: 'sd1-onnx-script' });
      expect(latents).toBeLessThan(1e-3);
    });
  });
});

describe('exported ControlNets', () => {
  const golden = readGolden('golden.safetensors', controlNet);
  const run = async (sd: Pipeline, name: string) => {
    const image = await readFile(`${controlNet}/canny.png`);
    const adapters = { [name]: { image, strength: 0.8 } };
    const { latents, colours } = await compareRun(
      sd,
      golden,
      'one.run',
      { ...road, ...size, adapters },
      { row: 'controlnet-onnx' },
    );
    expect(latents).toBeLessThan(1e-3);
    expect(colours).toBeLessThanOrEqual(1);
  };

  test.each(['onnxstack', 'amblyopius'])('%s, both exported', (convention) =>
    using(loadPipeline(exported('sd1-onnx'), { components: { unet: `${nets}/${convention}/unet` } }), async (sd) => {
      const { latents } = await compareRun(sd, readGolden(), 'run', { ...road, ...size }, { row: 'controlnet-onnx' });
      expect(latents).toBeLessThan(1e-3);
      await sd.attach(`${nets}/${convention}/controlnet`, { name: 'canny' });
      await run(sd, 'canny');
    }),
  );

  test('an exported one with a U-Net from a checkpoint, and the reverse', async () => {
    await using(loadPipeline(exported('sd1')), async (sd) => {
      await sd.attach(`${nets}/onnxstack/controlnet/model.onnx`, { name: 'canny' });
      await run(sd, 'canny');
    });
    await using(loadPipeline(exported('sd1'), { components: { unet: `${nets}/amblyopius/unet` } }), async (sd) => {
      await sd.attach(`${controlNet}/canny`);
      await run(sd, 'canny');
    });
  });

  describe('two inside the U-Net, as diffusers’ script exports them', () => {
    const loading = () => loadPipeline(exported('sd1-onnx'), { components: { unet: `${nets}/fused/unet` } });
    const control = async (file: string, strength: number, end = 1) => ({
      image: await readFile(`${controlNet}/${file}.png`),
      strength,
      end,
    });

    test('match diffusers’ latents: neither, the first alone, and both', () =>
      using(loading(), async (sd) => {
        expect(sd.attached).toEqual([0, 1].map((i) => ({ name: `controlnet-${i}`, kind: 'controlnet' })));
        const compare = async (figures: typeof golden, name: string, options: object) => {
          const run = { ...road, ...size, ...options };
          const { latents, colours } = await compareRun(sd, figures, name, run, { row: 'controlnet-fused' });
          expect(latents).toBeLessThan(1e-3);
          expect(colours).toBeLessThanOrEqual(1);
        };
        await compare(readGolden(), 'run', {});
        await compare(golden, 'one.run', { adapters: { 'controlnet-0': await control('canny', 0.8) } });
        const both = {
          'controlnet-1': await control('depth', 0.4, 0.5),
          'controlnet-0': await control('canny', 0.7),
        };
        await compare(golden, 'two.run', { adapters: both });
      }));

    test('refuse settings that they do not support, and cannot be detached', () =>
      using(loading(), async (sd) => {
        const first = await control('canny', 0.8);
        const refused = (adapters: GenerateOptions['adapters'], option: string, message: RegExp) =>
          expect(sd.generate({ ...road, ...size, adapters })).rejects.toMatchObject({
            code: 'invalid-option',
            option,
            message: expect.stringMatching(message),
          });
        const guessing = { 'controlnet-0': { ...first, guess: true } };
        await refused(guessing, 'adapters.controlnet-0.guess', /exported inside the U-Net/);
        const twice = { 'controlnet-0': [first, first] };
        await refused(twice, 'adapters.controlnet-0[1].image', /has an image already: it was exported to take one/);
        await refused({ controlnet: first }, 'adapters.controlnet', /There are controlnet-0, controlnet-1\./);
        await expect(sd.detach('controlnet-1')).rejects.toThrow(/exported inside the model and stays there/);
        await expect(sd.attach(`${controlNet}/canny`)).rejects.toThrow(/exported with its own inside/);
        expect(sd.attached).toHaveLength(2);
      }));
  });

  test('a U-Net without inputs for one says so', async () => {
    await using(loadPipeline(exported('sd1-onnx')), async (sd) => {
      await expect(sd.attach(`${controlNet}/canny`)).rejects.toMatchObject({
        code: 'invalid-option',
        message: expect.stringContaining('exported with inputs for a ControlNet'),
      });
    });
  });
});

describe('unsupported requests are refused', () => {
  test('without a VAE encoder: a warning, and no run from an image', async () => {
    const source = await changed(exported('sd1-onnx'), (path) =>
      path.startsWith('vae_encoder') ? undefined : 'unchanged',
    );
    await using(loadPipeline(source), async (sd) => {
      expect(sd.warnings.map(({ code }) => code)).toContain('no-vae-encoder');
      const image = await readFile(`${fixture('adapters/from-picture')}/image.png`);
      await expect(sd.generate({ ...road, image, steps: 2 })).rejects.toMatchObject({
        code: 'unsupported',
        message: expect.stringContaining('vae_encoder/model.onnx does not exist'),
      });
    });
  });

  test('clip skip and adapters, which need layers that an export does not have', () =>
    using(loadPipeline(exported('sd1-onnx')), async (sd) => {
      await expect(sd.generate({ ...road, ...size, steps: 1, clipSkip: 1 })).rejects.toMatchObject({
        code: 'unsupported',
      });
      await expect(sd.attach(`${fixture('adapters/lora-kohya')}/style.safetensors`)).rejects.toMatchObject({
        code: 'invalid-option',
      });
    }));

  test('one file of a folder', async () => {
    await expect(loadPipeline(`${exported('sd1-onnx')}/unet/model.onnx`)).rejects.toMatchObject({
      code: 'unsupported',
      message: expect.stringContaining('load the folder'),
    });
  });

  test('missing weights', async () => {
    const source = await changed(exported('sd1-onnx-script'), (path) =>
      path === 'unet/weights.pb' ? undefined : 'unchanged',
    );
    await expect(loadPipeline(source)).rejects.toMatchObject({
      code: 'not-found',
      message: 'unet/weights.pb does not exist, but unet/model.onnx keeps its weights in it.',
    });
  });

  test('a backend can be used after a failed load', async () => {
    const backend = createNodeBackend();
    const source = await changed(exported('sd1-onnx'), (path) =>
      path === 'unet/model.onnx' ? new Uint8Array(100) : 'unchanged',
    );
    await expect(loadPipeline(source, { backend })).rejects.toMatchObject({ code: 'bad-checkpoint' });
    await using(loadPipeline(exported('sd1-onnx'), { backend }), async ({ stages }) => {
      expect(stages.noisePredictor.inChannels).toBe(4);
    });
    await backend.dispose();
  });
});
