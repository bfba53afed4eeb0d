import type { ModelCall } from '@sd/guidance';
import { openWeights } from '@sd/weights';
import { describe, expect, test } from 'vitest';
import { fileOf, floats, memorySource } from '../../../weights/test/memory.js';
import { type Adapter, type AttachContext, adapterKinds } from '../../src/index.js';
import { families } from '../families.js';

const context: AttachContext = {
  model: {
    noisePredictorComponent: 'unet',
    noisePredictor: {} as AttachContext['model']['noisePredictor'],
    textEncoders: new Map([
      ['text_encoder', {}],
      ['text_encoder_2', {}],
    ]),
  },
  adapters: [],
  families,
  backend: undefined,
  imageEncoder: undefined,
  signal: undefined,
};

/** A LoRA of the U-Net and the first text encoder of a model with two. */
async function opened(): Promise<Adapter> {
  const modules = ['lora_unet_mid_block_layer', 'lora_te1_text_model_encoder_layers_0_mlp_fc1'];
  const tensors = modules.flatMap((module) => [
    floats(`${module}.lora_down.weight`, [1, 2], [1, 2]),
    floats(`${module}.lora_up.weight`, [2, 1], [1, 2]),
  ]);
  const source = memorySource({ 'style.safetensors': await fileOf(tensors) });
  const weights = await openWeights(source, 'style.safetensors');
  const kind = adapterKinds.find(({ detect }) => detect?.(weights, families) !== undefined);
  expect(kind?.name).toBe('lora');
  return (kind as NonNullable<typeof kind>).open(
    { source, path: 'style.safetensors', name: 'style', weights },
    context,
  );
}

const lora = await opened();

/** The strengths of the U-Net at a step of three, and of both text encoders. */
async function strengths(settings: unknown, step: number) {
  const use = await lora.use(settings, 'adapters.style');
  const pass = { width: 64, height: 64, familyCondition: undefined, signal: undefined };
  const condition = await use.condition?.(pass);
  const call = { progress: { step, steps: 3, call: step, calls: 3 } } as ModelCall;
  const unet = (await condition?.(call))?.['strength.style'].data[0];
  const texts = ['text_encoder', 'text_encoder_2'].map(
    (component) => use.textInputs?.(component)['strength.style']?.data[0],
  );
  return { unet, texts, warnings: use.warnings?.map(({ message }) => message) };
}

describe('the strengths of a LoRA', () => {
  test.each<[string, unknown, number, number, number]>([
    ['are 1 in a run that does not mention it', undefined, 1, 1, 1],
    ['may be one for all', 0.5, 1, 0.5, 0.5],
    ['may follow the pass, for text as at its first step', (fraction: number) => 1 - fraction, 1, 0.5, 1],
    ['may be one for each component, 1 where not named', { text_encoder: 0.25 }, 1, 1, 0.25],
    [
      'may follow the pass in the U-Net alone',
      { unet: (fraction: number) => fraction, text_encoder: 0.75 },
      2,
      1,
      0.75,
    ],
  ])('%s', async (_, settings, step, unet, text) => {
    expect(await strengths(settings, step)).toEqual({ unet, texts: [text, undefined], warnings: [] });
  });

  test('warn of a component that it does not change, unless they are 0', async () => {
    expect((await strengths({ text_encoder_2: 0.5 }, 0)).warnings).toEqual([
      'adapters.style.text_encoder_2 has no effect: "style" changes nothing in the second text encoder.',
    ]);
    expect((await strengths({ text_encoder_2: 0 }, 0)).warnings).toEqual([]);
  });

  test.each<[unknown, string, string]>([
    ['1', 'adapters.style', 'must be a finite number, or a function that gives one, not "1".'],
    [{ unet: Number.NaN }, 'adapters.style.unet', 'must be a finite number'],
    [{ text_encoder: () => 1 }, 'adapters.style.text_encoder', 'must be a finite number, not a function.'],
    [{ vae: 1 }, 'adapters.style.vae', 'There are unet, text_encoder, text_encoder_2.'],
  ])('that cannot be are named: %o', async (settings, option, message) => {
    const use = async () => lora.use(settings, 'adapters.style');
    await expect(use()).rejects.toMatchObject({ option, message: expect.stringContaining(message) });
  });

  test('in a prompt are for the text encoders that it changes', () => {
    expect(lora.settingsFor?.({ kind: 'lora', textWeight: 0.5, unetWeight: 0.5 })).toBe(0.5);
    expect(lora.settingsFor?.({ kind: 'lyco', textWeight: 0.5, unetWeight: 0.7 })).toEqual({
      unet: 0.7,
      text_encoder: 0.5,
    });
    expect(lora.settingsFor?.({ kind: 'hypernet', textWeight: 1, unetWeight: 1 })).toBeUndefined();
  });
});
