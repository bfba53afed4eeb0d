import { readFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import { createNodeBackend, openFolder } from '@sd/backend-node';
import { CheckpointError, type Source, UnsupportedError } from '@sd/core';
import { loadImageEncoder } from '@sd/image-encoder';
import { openSafetensors, type TensorToWrite, writeSafetensors } from '@sd/weights';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { fixture } from '../../../../fixtures/golden.js';
import { loadPipeline, type Pipeline } from '../../src/index.js';
import { road } from '../start-support.js';
import { counting, sourceOf } from '../support.js';

const { backend, counts } = counting(createNodeBackend({ threads: 1 }));
let sd1: Pipeline;
let sd2: Pipeline;
let sdxl: Pipeline;
beforeAll(async () => {
  [sd1, sd2, sdxl] = (await Promise.all(
    ['sd1', 'sd2', 'sdxl'].map((name) => loadPipeline(fixture(`models/${name}`), { backend })),
  )) as [Pipeline, Pipeline, Pipeline];
});
afterAll(async () => {
  await Promise.all([sd1, sd2, sdxl].map((sd) => sd.dispose()));
  await backend.dispose();
});

const adapter = (name: string) => fixture(`adapters/${name}`);
const lora = `${adapter('lora-kohya')}/style.safetensors`;
const settings = { ...road, width: 96, height: 64, steps: 2 };

/** A source of one safetensors file, `x.safetensors`. */
async function fileOf(tensors: readonly TensorToWrite[], metadata?: Record<string, string>): Promise<Source> {
  const chunks: Uint8Array[] = [];
  for await (const chunk of writeSafetensors(tensors, metadata)) chunks.push(chunk);
  return sourceOf(new Map([['x.safetensors', Buffer.concat(chunks)]]));
}

const zeros = (name: string, ...shape: number[]): TensorToWrite => ({
  name,
  dtype: 'F32',
  shape,
  bytes: () => new Uint8Array(4 * shape.reduce((a, b) => a * b, 1)),
});

const module = 'lora_unet_down_blocks_0_attentions_0_transformer_blocks_0_attn2_to_k';
const half = (name: string, inner: number, outer: number) => [
  zeros(`${name}.lora_down.weight`, 2, inner),
  zeros(`${name}.lora_up.weight`, outer, 2),
];

const weights = 'diffusion_pytorch_model.safetensors';

/** A model's folder in diffusers' layout. */
async function folderOf(tensors: readonly TensorToWrite[], config: Uint8Array): Promise<Source> {
  const bytes = await (await fileOf(tensors)).read('x.safetensors');
  return sourceOf(
    new Map([
      [weights, bytes],
      ['config.json', config],
    ]),
  );
}

/** The contents of such a folder, for writing another. */
async function partsOf(folder: string): Promise<{ config: Uint8Array; tensors: TensorToWrite[] }> {
  const { tensors } = await openSafetensors(await openFolder(folder), weights);
  const bytes = await readFile(`${folder}/${weights}`);
  return {
    config: await readFile(`${folder}/config.json`),
    tensors: [...tensors.values()].map(({ offset, length, ...view }) => ({
      ...view,
      bytes: () => bytes.subarray(offset, offset + length),
    })),
  };
}

/** The error that attaching rejects with. Expects that it changed nothing. */
async function refusal(
  sd: Pipeline,
  ...attached: Parameters<Pipeline['attach']>
): Promise<Error & { tensor?: string }> {
  const [before, open] = [sd.attached, counts.open];
  const error = await sd.attach(...attached).then(
    () => new Error('attached'),
    (reason: Error) => reason,
  );
  expect(sd.attached).toEqual(before);
  expect(counts.open).toBe(open);
  expect(error.message).not.toBe('attached');
  return error;
}

describe('an adapter for another model names its family and the first tensor that does not fit', () => {
  test('a LoRA', async () => {
    const error = await refusal(sd1, await fileOf(half(module, 768, 320)), { path: 'x.safetensors', kind: 'lora' });
    expect(error).toBeInstanceOf(CheckpointError);
    expect(error.tensor).toBe(`${module}.lora_down.weight`);
    expect(error.message).toMatch(
      /is for another model: its tensor .+\[2, 768\].+The file is for Stable Diffusion 1\./,
    );
    const encoder = await refusal(sd1, `${adapter('lora-sdxl')}/style.safetensors`);
    expect(encoder.message).toMatch(
      /second text encoder, which this model does not have\. The file is for Stable Diffusion XL\./,
    );
  });

  test('a ControlNet', async () => {
    const error = await refusal(sdxl, `${adapter('controlnet')}/canny`);
    expect(error).toBeInstanceOf(CheckpointError);
    expect(error.message).toMatch(
      /is a ControlNet for a U-Net with channels 32, 64 and text of width 32, but this one has .+ It was made for another model; its first tensor that does not fit is down_blocks/,
    );
  });

  test('a T2I-Adapter', async () => {
    const error = await refusal(sdxl, adapter('t2i-adapter'), { kind: 't2i-adapter' });
    expect(error.tensor).toMatch(/^adapter\./);
    expect(error.message).toMatch(
      /is for another model: its maps have channels 32, 64, .+made for Stable Diffusion 1 or 2/,
    );
  });

  test('an IP-Adapter', async () => {
    const imageEncoder = await loadImageEncoder({ source: await openFolder(adapter('ip-adapter')), backend });
    const path = `${adapter('ip-adapter')}/ip-adapter.safetensors`;
    const error = await refusal(sdxl, path, { kind: 'ip-adapter', imageEncoder });
    expect(error.tensor).toMatch(/^ip_adapter\.\d+\.to_k_ip\.weight$/);
    expect(error.message).toMatch(/made for a model whose text is 32 wide, and this one’s is 80/);
  });

  test('a textual inversion', async () => {
    const error = await refusal(sd1, await fileOf([zeros('emb_params', 2, 1024)]), { path: 'x.safetensors' });
    expect(error.message).toMatch(
      /has vectors of 1024 values, but this text encoder’s have 32\. It was made for Stable Diffusion 2\./,
    );
    const two = await refusal(sd1, await fileOf([zeros('clip_l', 1, 32), zeros('clip_g', 1, 40)]), {
      path: 'x.safetensors',
    });
    expect(two.message).toMatch(/for a model with two text encoders, as SDXL has/);
  });

  test('a hypernetwork', async () => {
    const error = await refusal(sdxl, `${adapter('hypernetwork')}/hypernetwork.pt`);
    expect(error.tensor).toBeDefined();
    expect(error.message).toMatch(
      /has networks for contexts of 32, 64 values, but this U-Net’s text has 80: .+Its first tensor is/,
    );
  });

  test('a motion adapter', async () => {
    const { config, tensors } = await partsOf(`${adapter('animatediff')}/motion`);
    const name = 'down_blocks.1.motion_modules.0.norm.weight';
    const narrow = tensors.map((tensor) => (tensor.name === name ? zeros(name, 48) : tensor));
    const error = await refusal(sd1, await folderOf(narrow, config), { name: 'm', kind: 'motion-adapter' });
    expect(error.tensor).toBe(name);
    expect(error.message).toMatch(/norm\.weight has the shape \[48\], but .+ \[64\]/);
  });
});

test('an adapter that matches nothing says so', async () => {
  const source = await fileOf(half('lora_unet_nothing_here', 4, 4));
  const error = await refusal(sd1, source, { path: 'x.safetensors', kind: 'lora' });
  expect(error.message).toMatch(
    /changes nothing: the U-Net has none of its 1 modules, of which the first is lora_unet_nothing_here/,
  );
  const model = await refusal(sd1, fixture('models/sd2'));
  expect(model).toBeInstanceOf(UnsupportedError);
  expect(model.message).toMatch(/cannot be attached/);
});

test('unused parts of a file are named, and the rest is attached', async () => {
  const tensors = [...half(module, 32, 32), ...half('lora_unet_idle', 4, 4), zeros('extra.tensor', 1)];
  const { warnings, ...attached } = await sd1.attach(await fileOf(tensors), {
    path: 'x.safetensors',
    name: 'odd',
    kind: 'lora',
  });
  await sd1.detach('odd');
  expect(attached).toEqual({ name: 'odd', kind: 'lora' });
  expect(warnings).toEqual([
    { code: 'unused-tensors', message: 'The file has tensors that have no use here: extra.tensor.' },
    { code: 'unmatched-modules', message: 'The model has no layer for modules of the LoRA: lora_unet_idle.' },
  ]);
  const { warnings: noWarnings } = await sd1.attach(lora, { name: 'whole' });
  await sd1.detach('whole');
  expect(noWarnings).toEqual([]);
});

test('a strength for a model that the LoRA does not change is reported, unless it is 0 or the prompt’s', async () => {
  const options = { path: 'x.safetensors', kind: 'lora' } as const;
  await sd1.attach(await fileOf(half('lora_te_text_model_encoder_layers_0_self_attn_q_proj', 32, 32)), {
    ...options,
    name: 'words',
  });
  await sd1.attach(await fileOf(half(module, 32, 32)), { ...options, name: 'looks' });
  const warnings = async (given: object) => (await sd1.generate({ ...settings, steps: 1, ...given })).warnings;
  const each = { unet: 0.5, text_encoder: 0.5 };
  expect(await warnings({ adapters: { words: each, looks: each } })).toEqual([
    { code: 'strength-unused', message: 'adapters.words.unet has no effect: "words" changes nothing in the U-Net.' },
    {
      code: 'strength-unused',
      message: 'adapters.looks.text_encoder has no effect: "looks" changes nothing in the text encoder.',
    },
  ]);
  expect(await warnings({ adapters: { words: { unet: (fraction: number) => fraction } } })).toHaveLength(1);
  expect(await warnings({ adapters: { words: { unet: 0, text_encoder: 1 }, looks: 0.5 } })).toEqual([]);
  const prompt = 'a car <lora:words:0.5> <lora:looks:0.5>';
  expect(await warnings({ syntax: 'a1111', prompt })).toEqual([]);
  const separate = 'a car <lora:words:0.5:0.7>';
  expect(await warnings({ syntax: 'a1111', prompt: separate })).toMatchObject([{ code: 'strength-unused' }]);
  for (const name of ['words', 'looks']) await sd1.detach(name);
});

test('a textual inversion for one of two text encoders names the other', async () => {
  const attached = async (...tensors: TensorToWrite[]) => {
    const { warnings } = await sdxl.attach(await fileOf(tensors), { path: 'x.safetensors', name: 'blob' });
    await sdxl.detach('blob');
    return warnings;
  };
  const [first, second] = [zeros('clip_l', 1, 32), zeros('clip_g', 2, 48)];
  expect(await attached(first)).toEqual([
    {
      code: 'encoder-untaught',
      message: 'The file has no vectors for the second text encoder, clip_g: it reads "blob" as ordinary text.',
    },
  ]);
  expect(await attached(second)).toMatchObject([{ message: expect.stringContaining('first text encoder, clip_l') }]);
  expect(await attached(first, second)).toEqual([]);
});

test('a missing half and a misshapen tensor are named', async () => {
  const missing = await refusal(sd1, await fileOf([zeros(`${module}.lora_up.weight`, 32, 2)]), {
    path: 'x.safetensors',
    kind: 'lora',
  });
  expect(missing).toMatchObject({ code: 'missing-tensor', tensor: `${module}.lora_down.weight` });
  const { config, tensors } = await partsOf(`${adapter('controlnet')}/canny`);
  const name = 'controlnet_mid_block.weight';
  const without = tensors.filter((tensor) => tensor.name !== name);
  const options = { name: 'control', kind: 'controlnet' } as const;
  const incomplete = await refusal(sd1, await folderOf(without, config), options);
  expect(incomplete).toMatchObject({ code: 'missing-tensor', tensor: name });
  const narrow = await refusal(sd1, await folderOf([...without, zeros(name, 32, 32, 1, 1)], config), options);
  expect(narrow).toMatchObject({ code: 'misshapen-tensor', tensor: name });
  const extended = await folderOf([...tensors, zeros('extra.tensor', 1)], config);
  const { warnings } = await sd1.attach(extended, options);
  await sd1.detach('control');
  expect(warnings).toMatchObject([{ code: 'unused-tensors', message: expect.stringContaining('extra.tensor') }]);
});

test('a pickle that calls an unsafe global is refused by name, and nothing is run', async () => {
  const pickles = fileURLToPath(new URL('../../../weights/test/data/pickle', import.meta.url));
  for (const [file, global] of [
    ['calls-system.pt', /system/],
    ['calls-eval.pt', /eval/],
  ] as const) {
    for (const kind of ['hypernetwork', 'textual-inversion', 'lora', 'ip-adapter', undefined] as const) {
      const error = await refusal(sd1, `${pickles}/${file}`, kind && { kind });
      expect(error.message).toMatch(global);
    }
  }
});

test('a model of an unsupported family is named', async () => {
  for (const [name, family] of [
    ['lora_unet_double_blocks_0_img_attn_proj.lora_down.weight', /Flux/],
    ['transformer.joint_transformer_blocks.0.attn.to_q.lora_A.weight', /AuraFlow/],
  ] as const) {
    const error = await refusal(sd1, await fileOf([zeros(name, 2, 4)]), { path: 'x.safetensors', kind: 'lora' });
    expect(error).toBeInstanceOf(UnsupportedError);
    expect(error.message).toMatch(family);
  }
});

describe('names and strengths', () => {
  test('unknown kinds, taken and empty names, and detaching what is not attached', async () => {
    await sd1.attach(lora, { name: 'style' });
    expect(await refusal(sd1, lora, { name: 'style' })).toMatchObject({ option: 'name', code: 'invalid-option' });
    await sd1.detach('style');
    expect(await refusal(sd1, lora, { name: '' })).toMatchObject({ option: 'name' });
    expect(await refusal(sd1, lora, { kind: 'vae' as 'lora' })).toMatchObject({ option: 'kind' });
    expect(await refusal(sd1, `${adapter('lora-kohya')}/none.safetensors`)).toMatchObject({ code: 'not-found' });
    await expect(sd1.detach('style')).rejects.toThrow('name: is "style", but attached is nothing.');
  });

  test.each<[option: string, value: unknown, message: string]>([
    [
      'strength',
      0.7,
      'is not an option of attach(). Its options are name, kind, path, imageEncoder, revision, token, onProgress, signal.',
    ],
    ['path', 5, 'must be a string, not 5.'],
    ['imageEncoder', {}, 'must be a folder next to the file, or an object with encode(pixels), not an object.'],
    ['signal', {}, 'must be an AbortSignal, not an object.'],
    ['signal', new AbortController(), 'must be an AbortSignal, not an object of type AbortController.'],
  ])('unknown and impossible options: %s', async (option, value, message) => {
    const error = await refusal(sd1, lora, { [option]: value });
    expect(error).toMatchObject({ code: 'invalid-option', option, message: `${option}: ${message}` });
  });

  test('options that are not an object, and undefined ones', async () => {
    for (const options of [null, 'style'] as never[]) {
      expect(await refusal(sd1, lora, options)).toMatchObject({ code: 'invalid-option', option: 'options' });
    }
    await sd1.attach(lora, { name: 'style', strength: undefined } as object);
    await sd1.detach('style');
  });

  test('strengths that are not finite and names that are not attached', async () => {
    await sd1.attach(lora, { name: 'style' });
    const refused = (option: string, options: object) =>
      expect(sd1.generate({ ...settings, ...options })).rejects.toMatchObject({ code: 'invalid-option', option });
    for (const value of [Number.NaN, Number.POSITIVE_INFINITY, '1', null])
      await refused('adapters.style', { adapters: { style: value } });
    await refused('adapters.style.unet', { adapters: { style: { unet: Number.NaN } } });
    await refused('adapters.style.text_encoder', { adapters: { style: { text_encoder: () => 1 } } });
    await refused('adapters.style.vae', { adapters: { style: { vae: 1 } } });
    await refused('adapters.style.transformer', { adapters: { style: { transformer: 1 } } });
    await refused('adapters.other', { adapters: { other: 1 } });
    for (const adapters of [null, 1, []]) await refused('adapters', { adapters });
    // A function is called at each step.
    await refused('adapters.style', { adapters: { style: (fraction: number) => (fraction > 0 ? Number.NaN : 1) } });
    await sd1.detach('style');
  });
});

describe('nothing changes', () => {
  test.each(['aborted', 'failed'])('after an attach that %s while the graphs were loaded', async (how) => {
    const inner = createNodeBackend({ threads: 1 });
    let before: (controller: AbortController) => void = () => {};
    let controller = new AbortController();
    const { backend: counted, counts: modelCounts } = counting({
      ...inner,
      async load(model, options) {
        if (model.name === 'unet') before(controller);
        return inner.load(model, options);
      },
    });
    const sd = await loadPipeline(fixture('models/sd1'), { backend: counted });
    const drawn = async (options = {}) => (await sd.generate({ ...settings, ...options })).images[0].data;
    try {
      const plain = await drawn();
      const { open } = modelCounts;
      await sd.attach(lora, { name: 'first' });
      const styled = await drawn({ adapters: { first: 0.7 } });

      before = (running) => {
        if (how === 'failed') throw new Error('no memory');
        running.abort();
      };
      controller = new AbortController();
      const second = sd.attach(`${adapter('hypernetwork')}/hypernetwork.pt`, { signal: controller.signal });
      await expect(second).rejects.toMatchObject(how === 'failed' ? { message: 'no memory' } : { code: 'aborted' });
      if (how === 'failed') await expect(sd.detach('first')).rejects.toThrow('no memory');
      before = () => {};

      expect(sd.attached).toEqual([{ name: 'first', kind: 'lora' }]);
      expect(await drawn({ adapters: { first: 0.7 } })).toEqual(styled);
      await sd.detach('first');
      expect(await drawn()).toEqual(plain);
      expect(modelCounts.open).toBe(open);
    } finally {
      await sd.dispose();
      expect(modelCounts.open).toBe(0);
      await inner.dispose();
    }
  });

  test('after an attach whose signal was aborted before it began', async () => {
    const error = await refusal(sd1, lora, { signal: AbortSignal.abort() });
    expect(error).toMatchObject({ code: 'aborted' });
  });
});
