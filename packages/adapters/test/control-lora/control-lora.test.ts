import { createNodeBackend, openFolder } from '@sd/backend-node';
import { CheckpointError, type Conditions, tensor, torchCpu } from '@sd/core';
import { type ModelCall, singleCall } from '@sd/guidance';
import { type CheckpointUnet, loadUnet } from '@sd/unet';
import { openWeights } from '@sd/weights';
import { afterAll, describe, expect, test } from 'vitest';
import { stageError } from '../../../../fixtures/deviations.js';
import { fixture } from '../../../../fixtures/golden.js';
import { fileOf, floats, memorySource } from '../../../weights/test/memory.js';
import { type Adapter, adapterKinds } from '../../src/index.js';
import { families } from '../families.js';
import { controlLoraFiles } from './files.js';

const backend = createNodeBackend({ threads: 1 });
afterAll(() => backend.dispose());

const random = torchCpu(5);
const normal = (...dims: number[]) => tensor('float32', dims, random.randn(dims.reduce((a, b) => a * b)));
const image = { width: 64, height: 48, data: Uint8Array.from({ length: 64 * 48 * 4 }, (_, i) => (i * 37) % 256) };

const unetOf = async (model: string) => loadUnet({ source: await openFolder(fixture(`models/${model}`)), backend });

/** Attaches a file as a kind of adapter, to a U-Net and next to other adapters. */
async function open(kind: string, bytes: Uint8Array, unet: CheckpointUnet, adapters: Adapter[] = []): Promise<Adapter> {
  const source = memorySource({ 'x.safetensors': bytes });
  const weights = await openWeights(source, 'x.safetensors');
  const model = { noisePredictorComponent: 'unet', noisePredictor: unet, textEncoders: new Map() };
  const context = { model, adapters, families, backend, imageEncoder: undefined, signal: undefined };
  const file = { source, path: 'x.safetensors', name: kind, weights };
  return adapterKinds.find(({ name }) => name === kind)!.open(file, context);
}

/** What an adapter adds to a U-Net at one call. */
async function residuals(adapter: Adapter, call: ModelCall, conditions: Conditions): Promise<Conditions> {
  const { condition } = await adapter.use({ image, strength: 0.7 }, 'adapters.edges');
  const pass = { width: 64, height: 48, familyCondition: () => conditions, signal: undefined };
  return (await (await condition!(pass))(call)) ?? {};
}

function callOf({ config }: CheckpointUnet): { call: ModelCall; conditions: Conditions } {
  const texts = [0, 1].map(() => ({ hidden: tensor('float32', [0, 0]) }));
  const call: ModelCall = {
    sample: normal(2, config.inChannels, 6, 8),
    timestep: 321,
    context: normal(2, 7, config.levels[0].contextWidth),
    texts,
    negative: texts[0],
    progress: singleCall,
  };
  if (config.added === undefined) return { call, conditions: {} };
  const { width, timeWidth } = config.added;
  return { call, conditions: { text_embeds: normal(2, width - 6 * timeWidth), time_ids: normal(2, 6) } };
}

describe.each([
  ['sd1', 'adapters/controlnet/canny'],
  ['sdxl', 'adapters/controlnet-sdxl'],
])('a Control-LoRA for %s', (model, controlNet) => {
  test('is the ControlNet whose weights are the U-Net’s and its changes', async () => {
    const [{ lora, merged }, unet] = await Promise.all([controlLoraFiles(model, controlNet), unetOf(model)]);
    const { call, conditions } = callOf(unet);
    const [got, want] = [await open('control-lora', lora, unet), await open('controlnet', merged, unet)];
    const [added, expected] = [await residuals(got, call, conditions), await residuals(want, call, conditions)];
    expect(Object.keys(added)).toEqual(Object.keys(expected));
    for (const [name, { dims, data }] of Object.entries(expected)) {
      expect(added[name].dims).toEqual(dims);
      expect(stageError('control-lora', added[name].data as Float32Array, data as Float32Array), name).toBeLessThan(
        1e-5,
      );
    }
    expect(got.warnings?.()).toEqual([]);
    expect(await got.use(undefined, 'adapters.edges')).toEqual({});
    await expect(got.use({ image, end: 2 }, 'adapters.edges')).rejects.toMatchObject({ option: 'adapters.edges.end' });
    await Promise.all([got.dispose?.(), want.dispose?.(), unet.dispose?.()]);
  });
});

describe('with a U-Net of small sizes', () => {
  test('a Control-LoRA and a ControlNet enter the U-Net at the same inputs', async () => {
    const { lora, merged } = await controlLoraFiles('sd1', 'adapters/controlnet/canny');
    const unet = await unetOf('sd1');
    const first = await open('control-lora', lora, unet);
    const second = await open('controlnet', merged, unet, [first]);
    expect(second.extensions.unet).toBe(first.extensions.unet);
  });

  test('a file for another family names it, and the first tensor that does not fit', async () => {
    const { lora } = await controlLoraFiles('sdxl', 'adapters/controlnet-sdxl');
    const error = await open('control-lora', lora, await unetOf('sd1')).catch((reason: unknown) => reason);
    expect(error).toBeInstanceOf(CheckpointError);
    expect(error).toMatchObject({ code: 'misshapen-tensor', tensor: expect.stringMatching(/attn2\.to_k\.down$/) });
    expect(String(error)).toMatch(/with text of width 80, but this one has 32\. It was made for another model/);
  });

  test('a change that does not fit its layer is named', async () => {
    const { lora } = await controlLoraFiles('sd1', 'adapters/controlnet/canny');
    const unet = await unetOf('sd1-inpaint');
    await expect(open('control-lora', lora, unet)).rejects.toMatchObject({ tensor: 'conv_in.down' });
  });

  test('a U-Net without a checkpoint is refused', async () => {
    const { lora } = await controlLoraFiles('sd1', 'adapters/controlnet/canny');
    const { checkpoint: _, ...unet } = await unetOf('sd1');
    await expect(open('control-lora', lora, unet as CheckpointUnet)).rejects.toMatchObject({ option: 'attach' });
  });

  test('a file without one is refused', async () => {
    const other = await fileOf([floats('conv.weight', [1], [0])]);
    await expect(open('control-lora', other, await unetOf('sd1'))).rejects.toThrow(
      /x\.safetensors: has no Control-LoRA: its first tensor is conv\.weight\./,
    );
  });
});
