import { createNodeBackend, openFolder } from '@sd/backend-node';
import { type Backend, type Conditions, type Tensor, tensor } from '@sd/core';
import { type Lora, openLora } from '@sd/graph/adapters';
import { afterAll, describe, expect, test } from 'vitest';
import { fixture, readGolden, relativeError } from '../../../fixtures/golden.js';
import { type CheckpointUnet, loadUnet } from '../src/index.js';

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

const unet = await loadUnet({ source: await openFolder(fixture('models/sd1')), backend });
const files = {
  peft: ['lora-peft', 'pytorch_lora_weights.safetensors'],
  kohya: ['lora-kohya', 'style.safetensors'],
} as const;

async function opened(name: keyof typeof files): Promise<Lora> {
  const [folder, file] = files[name];
  return openLora(await openFolder(fixture(`adapters/${folder}`)), file, { name });
}

const figures = (folder: string) => readGolden('golden.safetensors', fixture(`adapters/${folder}`));
const strengths = (values: Readonly<Record<string, number>>): Conditions =>
  Object.fromEntries(
    Object.entries(values).map(([name, value]) => [`strength.${name}`, tensor('float32', [1], Float32Array.of(value))]),
  );

/** What diffusers' U-Net was asked in these figures: its sample, t = 500, and the prompt as the changed encoder gives it. */
function predict(stage: CheckpointUnet, golden: (name: string) => Tensor<'float32'>, conditions?: Conditions) {
  const [sample, context] = [golden('unet.sample'), golden('text.prompt')];
  return stage.predict({ sample, timestep: 500, context, conditions });
}

describe('the numbers of diffusers', () => {
  test.each([
    ['lora-peft', { peft: 0.7 }],
    ['lora-kohya', { kohya: 0.7 }],
    ['lora-both', { peft: 0.7, kohya: 0.5 }],
  ] as const)('%s', async (folder, values) => {
    const loras = await Promise.all(Object.keys(values).map((name) => opened(name as keyof typeof files)));
    const golden = figures(folder);
    const stage = unet.extended(loras.map((lora) => lora.unet!));
    for (const lora of loras) lora.check();
    expect(loras.flatMap((lora) => [...lora.unusedTensors])).toEqual([]);
    const { data } = await predict(stage, golden, strengths(values));
    await stage.dispose?.();
    expect(relativeError(data, golden('unet.out.t500').data)).toBeLessThan(tolerance);
  });
});

describe('a strength', () => {
  test('changes without another session, and 0 is the model as it was', async () => {
    const [peft, kohya, golden] = [await opened('peft'), await opened('kohya'), figures('lora-peft')];
    const stage = unet.extended([peft.unet!, kohya.unet!]);
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
