import { readFile } from 'node:fs/promises';
import { createNodeBackend, openFolder } from '@sd/backend-node';
import { type Source, SourceError } from '@sd/core';
import { describe, expect, test } from 'vitest';
import { fixture, readGolden } from '../../../fixtures/golden.js';
import { loadPipeline, type Pipeline } from '../src/index.js';
import { compareRun, road } from './start-support.js';
import { using } from './support.js';

const size = { width: 96, height: 64, steps: 6 };
const exported = (name: string) => fixture(`models/${name}`);
const nets = fixture('adapters/controlnet-onnx');
const controlNet = fixture('adapters/controlnet');

/** A folder without some of its files, or with others in their place. */
async function changed(folder: string, change: (path: string) => Uint8Array | undefined | 'own'): Promise<Source> {
  const source = await openFolder(folder);
  return {
    name: 'changed',
    async read(path, range) {
      const bytes = change(path);
      if (bytes === undefined) throw new SourceError('not-found', path, `${path} is not there.`);
      return bytes === 'own' ? source.read(path, range) : bytes.subarray(range?.start, range?.end);
    },
    async size(path) {
      const bytes = change(path);
      return bytes === 'own' ? source.size!(path) : bytes?.length;
    },
  };
}

describe('folders that others exported draw as diffusers does with the checkpoint', () => {
  test.each(['sd1-onnx', 'sd1-onnx-old', 'sd1-onnx-script', 'sdxl-onnx'])('%s', async (name) => {
    const golden = readGolden('golden.safetensors', exported(name.split('-')[0]!));
    await using(loadPipeline(exported(name)), async (sd) => {
      expect(sd.warnings.filter(({ code }) => code !== 'part-skipped')).toEqual([]);
      const { levels } = sd.stages.scheduler.plan(6);
      const scaled = { row: name, ...(name === 'sdxl-onnx' && { levels }) };
      const { latents, colours } = await compareRun(sd, golden, 'run', { ...road, ...size }, scaled);
      expect(latents).toBeLessThan(1e-3);
      expect(colours).toBeLessThanOrEqual(1);
    });
  });

  test.each(['sd1-onnx', 'sd1-onnx-old', 'sd1-onnx-script'])('%s starts from pictures, with its seed', async (name) => {
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

  test('where nothing can be mapped, as in browsers, and each picture by itself', async () => {
    const source = await changed(exported('sd1-onnx-script'), () => 'own');
    await using(loadPipeline(source, { releaseStages: true }), async (sd) => {
      const { latents } = await compareRun(sd, readGolden(), 'run', { ...road, ...size }, { row: 'sd1-onnx-script' });
      expect(latents).toBeLessThan(1e-3);
    });
  });
});

describe('ControlNets that others exported', () => {
  const golden = readGolden('golden.safetensors', controlNet);
  const run = async (sd: Pipeline, name: string) => {
    const image = await readFile(`${controlNet}/canny.png`);
    const controls = [{ name, image, strength: 0.8 }];
    const { latents, colours } = await compareRun(
      sd,
      golden,
      'one.run',
      { ...road, ...size, controls },
      { row: 'controlnet-onnx' },
    );
    expect(latents).toBeLessThan(1e-3);
    expect(colours).toBeLessThanOrEqual(1);
  };

  test.each(['onnxstack', 'amblyopius'])('%s, both exported', (convention) =>
    using(loadPipeline(exported('sd1-onnx'), { unet: `${nets}/${convention}/unet` }), async (sd) => {
      const { latents } = await compareRun(sd, readGolden(), 'run', { ...road, ...size }, { row: 'controlnet-onnx' });
      expect(latents).toBeLessThan(1e-3);
      await sd.attach(`${nets}/${convention}/controlnet`, { name: 'canny' });
      await run(sd, 'canny');
    }),
  );

  test('an exported one with a U-Net that is not, and the other way round', async () => {
    await using(loadPipeline(exported('sd1')), async (sd) => {
      await sd.attach(`${nets}/onnxstack/controlnet/model.onnx`, { name: 'canny' });
      await run(sd, 'canny');
    });
    await using(loadPipeline(exported('sd1'), { unet: `${nets}/amblyopius/unet` }), async (sd) => {
      await sd.attach(`${controlNet}/canny`);
      await run(sd, 'canny');
    });
  });

  describe('two inside the U-Net, as diffusers’ script exports them', () => {
    const loading = () => loadPipeline(exported('sd1-onnx'), { unet: `${nets}/fused/unet` });
    const controls = async (...entries: [i: number, picture: string, strength: number, end: number][]) =>
      Promise.all(
        entries.map(async ([i, picture, strength, end]) => ({
          name: `controlnet-${i}`,
          image: await readFile(`${controlNet}/${picture}.png`),
          strength,
          end,
        })),
      );

    test('give the latents of diffusers: neither, the first alone, and both', () =>
      using(loading(), async (sd) => {
        expect(sd.attached).toEqual([0, 1].map((i) => ({ name: `controlnet-${i}`, kind: 'controlnet' })));
        const compare = async (figures: typeof golden, name: string, options: object) => {
          const run = { ...road, ...size, ...options };
          const { latents, colours } = await compareRun(sd, figures, name, run, { row: 'controlnet-fused' });
          expect(latents).toBeLessThan(1e-3);
          expect(colours).toBeLessThanOrEqual(1);
        };
        await compare(readGolden(), 'run', {});
        await compare(golden, 'one.run', { controls: await controls([0, 'canny', 0.8, 1]) });
        const both = await controls([1, 'depth', 0.4, 0.5], [0, 'canny', 0.7, 1]);
        await compare(golden, 'two.run', { controls: both });
      }));

    test('refuse what they cannot do, and stay', () =>
      using(loading(), async (sd) => {
        const [first] = await controls([0, 'canny', 0.8, 1]);
        const refused = (entries: readonly object[], option: string, message: RegExp) =>
          expect(sd.generate({ ...road, ...size, controls: entries as [] })).rejects.toMatchObject({
            code: 'invalid-option',
            option,
            message: expect.stringMatching(message),
          });
        await refused([{ ...first, guess: true }], 'controls[0].guess', /exported inside the U-Net/);
        await refused([first!, first!], 'controls[1].image', /has a picture already: it was exported to take one/);
        await refused([{ image: first!.image }], 'controls[0].name', /There are controlnet-0, controlnet-1\./);
        await expect(sd.detach('controlnet-1')).rejects.toThrow(/exported inside the U-Net and stays there/);
        await expect(sd.attach(`${controlNet}/canny`)).rejects.toThrow(/exported with its own inside/);
        expect(sd.attached).toHaveLength(2);
      }));
  });

  test('a U-Net without room for one says so', async () => {
    await using(loadPipeline(exported('sd1-onnx')), async (sd) => {
      await expect(sd.attach(`${controlNet}/canny`)).rejects.toMatchObject({
        code: 'invalid-option',
        message: expect.stringContaining('exported with inputs for a ControlNet'),
      });
    });
  });
});

describe('what cannot be done is said', () => {
  test('no encoder: a warning, and no run from a picture', async () => {
    const source = await changed(exported('sd1-onnx'), (path) => (path.startsWith('vae_encoder') ? undefined : 'own'));
    await using(loadPipeline(source), async (sd) => {
      expect(sd.warnings.map(({ code }) => code)).toContain('no-vae-encoder');
      const image = await readFile(`${fixture('adapters/from-picture')}/image.png`);
      await expect(sd.generate({ ...road, image, steps: 2 })).rejects.toMatchObject({
        code: 'unsupported',
        message: expect.stringContaining('vae_encoder/model.onnx does not exist'),
      });
    });
  });

  test('clip skip and adapters need the layers, which an export has lost', () =>
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

  test('weights that are not there', async () => {
    const source = await changed(exported('sd1-onnx-script'), (path) =>
      path === 'unet/weights.pb' ? undefined : 'own',
    );
    await expect(loadPipeline(source)).rejects.toMatchObject({
      code: 'not-found',
      message: 'unet/weights.pb is not there, and unet/model.onnx keeps its weights in it.',
    });
  });

  test('a failed load leaves the backend as it was', async () => {
    const backend = createNodeBackend();
    const source = await changed(exported('sd1-onnx'), (path) =>
      path === 'unet/model.onnx' ? new Uint8Array(100) : 'own',
    );
    await expect(loadPipeline(source, { backend })).rejects.toMatchObject({ code: 'bad-checkpoint' });
    await using(loadPipeline(exported('sd1-onnx'), { backend }), async ({ stages }) => {
      expect(stages.unet.inChannels).toBe(4);
    });
    await backend.dispose();
  });
});
