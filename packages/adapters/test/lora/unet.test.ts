import { createNodeBackend, openFolder } from '@sd/backend-node';
import { type Backend, type Conditions, type Tensor, tensor } from '@sd/core';
import { type CheckpointUnet, loadUnet } from '@sd/unet';
import { afterAll, describe, expect, test } from 'vitest';
import { stageError } from '../../../../fixtures/deviations.js';
import { fixture, readGolden, relativeError } from '../../../../fixtures/golden.js';
import { only } from '../../../unet/test/unet.js';
import { type Lora, openLora } from '../../src/index.js';

const tolerance = 1e-5;

const runtime = createNodeBackend({ threads: 1 });
afterAll(() => runtime.dispose());
let loads = 0;
const backend: Backend = {
  ...runtime,
  load(model, options) {
    loads++;
    return runtime.load(model, options);
  },
};

const unetOf = async (model: string) => loadUnet({ source: await openFolder(fixture(model)), backend });
const unet = await unetOf('models/sd1');

const opened = async (folder: string, name = folder, file = 'style'): Promise<Lora> =>
  openLora(await openFolder(fixture(`adapters/${folder}`)), `${file}.safetensors`, { name });
const peft = () => opened('lora-peft', 'peft', 'pytorch_lora_weights');
const kohya = () => opened('lora-kohya', 'kohya');

const figures = (folder: string) => readGolden('golden.safetensors', fixture(`adapters/${folder}`));
type Figures = ReturnType<typeof figures>;

const strengths = (values: Readonly<Record<string, number>>): Conditions =>
  Object.fromEntries(
    Object.entries(values).map(([name, value]) => [`strength.${name}`, tensor('float32', [1], Float32Array.of(value))]),
  );

/** What diffusers' U-Net was asked in these figures: its sample, t = 500, and the prompt as the changed encoder gives it. */
function predict(stage: CheckpointUnet, golden: Figures, conditions?: Conditions, context = golden('text.prompt')) {
  return stage.predict({ sample: golden('unet.sample'), timestep: 500, context, conditions });
}

/** The same model with LoRAs all of whose tensors have a use and a place in it. */
function extended(stage: CheckpointUnet, ...loras: readonly Lora[]): CheckpointUnet {
  const result = stage.withExtensions(loras.map((lora) => lora.unet!));
  for (const lora of loras) lora.check();
  expect(loras.flatMap((lora) => [...lora.unmatched(), ...lora.unusedTensors])).toEqual([]);
  return result;
}

describe('the numbers of diffusers', () => {
  test('of a LoRA by PEFT, of one by kohya, and of both at once', async () => {
    const stage = extended(unet, await peft(), await kohya());
    for (const [folder, values] of [
      ['lora-peft', { peft: 0.7 }],
      ['lora-kohya', { kohya: 0.7 }],
      ['lora-both', { peft: 0.7, kohya: 0.5 }],
    ] as const) {
      const golden = figures(folder);
      const { data } = await predict(stage, golden, strengths(values));
      expect(stageError(folder, data, golden('unet.out.t500').data)).toBeLessThan(tolerance);
    }
    await stage.dispose?.();
  });

  test.each([
    ['locon', 0.7],
    ['loha', 0.7],
    ['lokr', 0.7],
    ['dora-lycoris', 1],
    ['doha-dokr', 1],
  ])('of LyCORIS: %s', async (folder, strength) => {
    const golden = figures(folder);
    const stage = extended(unet, await opened(folder, 'style'));
    const { data } = await predict(stage, golden, strengths({ style: strength }));
    await stage.dispose?.();
    expect(stageError(folder, data, golden('unet.out.t500').data)).toBeLessThan(tolerance);
  });

  test('of DoRA by PEFT, at two strengths', async () => {
    const golden = figures('dora-peft');
    const stage = extended(unet, await opened('dora-peft', 'style', 'pytorch_lora_weights'));
    const prompt = only(readGolden('golden.safetensors', fixture('models/sd1'))('text.last_hidden_state'), 0);
    for (const [strength, name] of [
      [1, 'unet.out.t500'],
      [0.7, 'weaker.unet.out.t500'],
    ] as const) {
      const { data } = await predict(stage, golden, strengths({ style: strength }), prompt);
      expect(stageError('dora-peft', data, golden(name).data)).toBeLessThan(tolerance);
    }
    await stage.dispose?.();
  });

  test('of SDXL, by kohya’s names of the original’s modules', async () => {
    const golden = figures('lora-sdxl');
    const lora = await opened('lora-sdxl', 'style');
    expect(lora.family).toBe('sdxl');
    const stage = extended(await unetOf('models/sdxl'), lora);
    const times = [64, 96, 0, 0, 64, 96];
    const conditions = {
      ...strengths({ style: 0.7 }),
      text_embeds: pair(golden('text.negative_pooled'), golden('text.pooled')),
      time_ids: tensor('float32', [2, 6], Float32Array.of(...times, ...times)),
    };
    const context = pair(golden('text.negative'), golden('text.prompt'));
    const { data } = await predict(stage, golden, conditions, context);
    await stage.dispose?.();
    expect(stageError('lora-sdxl', data, golden('unet.out.t500').data)).toBeLessThan(tolerance);
  });
});

function pair(one: Tensor<'float32'>, two: Tensor<'float32'>): Tensor<'float32'> {
  return tensor('float32', [2, ...one.dims.slice(1)], Float32Array.of(...one.data, ...two.data));
}

describe('a strength', () => {
  test('changes without another session, and 0 is the model as it was', async () => {
    const golden = figures('lora-peft');
    const stage = extended(unet, await peft(), await kohya());
    await stage.load?.();
    const before = loads;
    const { data } = await predict(stage, golden, strengths({ peft: 0.7, kohya: 0 }));
    expect(relativeError(data, golden('unet.out.t500').data)).toBeLessThan(tolerance);
    const [none, zero] = [await predict(stage, golden), await predict(stage, golden, strengths({ peft: 0, kohya: 0 }))];
    expect(loads).toBe(before);
    expect(none.data).toEqual(zero.data);
    const plain = await predict(unet, golden);
    expect(relativeError(none.data, plain.data)).toBeLessThan(1e-6);
    await stage.dispose?.();
  });
});
