import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { openFolder } from '@sd/backend-node';
import { CheckpointError, UnsupportedError } from '@sd/core';
import { openSafetensors, type TensorToWrite, writeSafetensors } from '@sd/weights';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { measured } from '../../../../fixtures/deviations.js';
import { fixture } from '../../../../fixtures/golden.js';
import { toHalf, toSingle } from '../../../../fixtures/variants.js';
import { largestDifference } from '../../../image/test/support.js';
import { inspect, type LoadPipelineOptions, loadPipeline } from '../../src/index.js';
import { ggufFile, type Quantized, quantized } from '../gguf-file.js';
import { filesOf, road, sourceOf } from '../support.js';
import { torchFile } from '../torch-file.js';

const folder = fixture('adapters/single-file');
const fileOf = (name: string) => path.join(folder, `${name}.safetensors`);

let temporary: string;
beforeAll(async () => {
  temporary = await mkdtemp(path.join(tmpdir(), 'single-file-'));
});
afterAll(() => rm(temporary, { recursive: true }));

interface Drawn {
  /** Latents of every step. */
  readonly steps: readonly number[][];
  readonly image: readonly number[];
  readonly warnings: readonly unknown[];
}

/** Expects identical results, and records the difference for a row of the table in the docs. */
function expectSame(row: string, actual: Drawn, expected: Drawn): void {
  measured(row, {
    latents: largestDifference(actual.steps.flat(), expected.steps.flat()),
    colours: largestDifference(actual.image, expected.image),
  });
  expect(actual).toEqual(expected);
}

async function drawn(...args: Parameters<typeof loadPipeline>): Promise<Drawn> {
  const sd = await loadPipeline(...args);
  try {
    const steps: number[][] = [];
    const { images } = await sd.generate({
      ...road,
      guidanceScale: 7.5,
      onStep: ({ latents }) => void steps.push(Array.from(latents.data)),
    });
    return {
      steps,
      image: Array.from(images[0].data),
      warnings: sd.warnings.filter(({ code }) => code !== 'part-skipped'),
    };
  } finally {
    await sd.dispose();
  }
}

/** All tensors of a file, for writing another. */
async function tensorsOf(name: string): Promise<TensorToWrite[]> {
  const source = await openFolder(folder);
  const { tensors } = await openSafetensors(source, `${name}.safetensors`);
  const bytes = await source.read(`${name}.safetensors`);
  return [...tensors.values()].map(({ offset, length, ...view }) => ({
    ...view,
    bytes: () => bytes.subarray(offset, offset + length),
  }));
}

async function written(name: string, tensors: readonly TensorToWrite[], metadata?: Record<string, string>) {
  const file = path.join(temporary, `${name}.safetensors`);
  await writeFile(file, writeSafetensors(tensors, metadata));
  return file;
}

describe('a whole model in one file gives exactly the results of its folder', () => {
  test.each(['sd1', 'sd2', 'sdxl'])(
    '%s, with its folder for the settings that the file does not have',
    async (name) => {
      const model = fixture(`models/${name}`);
      const whole = await drawn(model);
      expectSame(`single-file-${name}`, await drawn(fileOf(name), { config: model }), whole);
    },
  );

  test('read from a source, only the ranges that a stage needs', async () => {
    const bytes = new Uint8Array(await readFile(fileOf('sd1')));
    const lengths: number[] = [];
    const source = {
      ...sourceOf(new Map([['some/model.safetensors', bytes]])),
      size: async (file: string) => (file === 'some/model.safetensors' ? bytes.length : undefined),
    };
    const counted = {
      ...source,
      read: async (file: string, range?: { start: number; end: number }) => {
        const bytes = await source.read(file, range);
        lengths.push(bytes.length);
        return bytes;
      },
    };
    const options = { path: 'some/model.safetensors', config: sourceOf(await filesOf(fixture('models/sd1'))) };
    expect(await drawn(counted, options)).toEqual(await drawn(fixture('models/sd1')));
    expect(Math.max(...lengths)).toBeLessThan(bytes.length);
  });

  test('picked by a user', async () => {
    const file = new File([await readFile(fileOf('sd1'))], 'picked.safetensors');
    const model = fixture('models/sd1');
    expect(await drawn(file, { config: model })).toEqual(await drawn(model));
  });

  test('in half precision, as float32 files of the rounded weights', async () => {
    const half = toHalf((await tensorsOf('sd1')).filter(({ dtype }) => dtype === 'F32'));
    const options = { config: fixture('models/sd1') };
    const rounded = await drawn(await written('single', toSingle(half)), options);
    expectSame('single-file-float16', await drawn(await written('half', half), options), rounded);
  });
});

describe('a file of another type gives exactly the results of a float32 file of its weights', () => {
  const options = { config: fixture('models/sd1') };

  test('.ckpt, as torch saves it', async () => {
    const file = path.join(temporary, 'model.ckpt');
    await writeFile(file, await torchFile(await tensorsOf('sd1')));
    expectSame('single-file-ckpt', await drawn(file, options), await drawn(fileOf('sd1'), options));
  });

  test('8-bit floats', async () => {
    const half = toHalf((await tensorsOf('sd1')).filter(({ dtype }) => dtype === 'F32'));
    // E5M2 is the upper byte of a half-precision number, here with the lower byte cut off.
    const upper = half.map(
      (tensor): TensorToWrite => ({
        ...tensor,
        dtype: 'F8_E5M2',
        bytes: async () => (await tensor.bytes()).filter((_, i) => i % 2 === 1),
      }),
    );
    const cut = half.map((tensor) => ({
      ...tensor,
      bytes: async () => (await tensor.bytes()).map((byte, i) => (i % 2 === 1 ? byte : 0)),
    }));
    const rounded = await drawn(await written('cut', toSingle(cut)), options);
    expectSame('single-file-e5m2', await drawn(await written('eight', upper), options), rounded);
  });
});

test('a file with tensors in float64 and as integers gives exactly the results of their values in float32', async () => {
  const options = { config: fixture('models/sd1') };
  const values = async ({ bytes }: TensorToWrite) => new Float32Array(new Uint8Array(await bytes()).buffer);
  const floats = (await tensorsOf('sd1')).filter(({ dtype }) => dtype === 'F32');
  const wide = floats.map((tensor): TensorToWrite => {
    if (/(norm1|norm\.|proj_in|conv_in|fc1)/.test(tensor.name)) {
      const bytes = async () => new Uint8Array(Float64Array.from(await values(tensor)).buffer);
      return { ...tensor, dtype: 'F64', bytes };
    }
    // A norm's bias, as numbers of one byte.
    return tensor.name.endsWith('norm2.bias')
      ? { ...tensor, dtype: 'I8', bytes: async () => new Uint8Array(Int8Array.from(await values(tensor)).buffer) }
      : tensor;
  });
  const whole = floats.map((tensor): TensorToWrite => {
    if (!tensor.name.endsWith('norm2.bias')) return tensor;
    return { ...tensor, bytes: async () => new Uint8Array((await values(tensor)).map(Math.trunc).buffer) };
  });
  expect(await drawn(await written('wide', wide), options)).toEqual(
    await drawn(await written('whole', whole), options),
  );
});

test('a GGUF file gives exactly the results of its values in float32', async () => {
  const options = { config: fixture('models/sd1') };
  const floats = (await tensorsOf('sd1')).filter(({ dtype }) => dtype === 'F32');
  const values = async ({ bytes }: TensorToWrite) => new Float32Array(new Uint8Array(await bytes()).buffer);
  const stored: (TensorToWrite | Quantized)[] = [];
  const whole: TensorToWrite[] = [];
  for (const tensor of floats) {
    const { name, shape } = tensor;
    const isMatrix = shape.length === 2 && shape[1] % 32 === 0;
    const blocks = isMatrix ? quantized(name, shape, await values(tensor)) : undefined;
    stored.push(blocks ?? tensor);
    whole.push(blocks === undefined ? tensor : { ...tensor, bytes: () => new Uint8Array(blocks.values.buffer) });
  }
  const file = path.join(temporary, 'model.gguf');
  await writeFile(file, await ggufFile(stored, 'sd1'));
  expect(await inspect(file)).toMatchObject({
    kind: 'pipeline',
    family: 'sd1',
    dtypes: ['F32', 'Q8_0'],
    details: { architecture: 'sd1' },
  });
  expect(await drawn(file, options)).toEqual(await drawn(await written('rounded', whole), options));
});

describe('what a file does not contain', () => {
  const config = fixture('models/sd2');
  const predictionOf = async (options: LoadPipelineOptions, metadata?: Record<string, string>, extra = '') => {
    const files = await filesOf(config);
    for (const name of files.keys()) if (name.startsWith('scheduler/')) files.delete(name);
    const marker: TensorToWrite = { name: extra, dtype: 'F32', shape: [1], bytes: () => new Uint8Array(4) };
    const file = await written('noted', [...(await tensorsOf('sd2')), ...(extra === '' ? [] : [marker])], metadata);
    const sd = await loadPipeline(file, { config: sourceOf(files), ...options });
    await sd.dispose();
    return sd.stages.scheduler.prediction;
  };

  test('the prediction: v for Stable Diffusion 2, unless the metadata or the caller says otherwise', async () => {
    expect(await predictionOf({})).toBe('v');
    expect(await predictionOf({ prediction: 'epsilon' })).toBe('epsilon');
    expect(await predictionOf({}, { 'modelspec.predict_key': 'epsilon' })).toBe('epsilon');
    expect(await predictionOf({}, { 'modelspec.architecture': 'stable-diffusion-v2-512' })).toBe('epsilon');
    expect(await predictionOf({}, { global_step: '875000' })).toBe('epsilon');
    expect(await predictionOf({}, { global_step: '875000' }, 'v_pred')).toBe('v');
  });

  test('the prediction: from the training step in a .ckpt', async () => {
    const files = await filesOf(config);
    for (const name of files.keys()) if (name.startsWith('scheduler/')) files.delete(name);
    const file = path.join(temporary, 'base.ckpt');
    await writeFile(file, await torchFile(await tensorsOf('sd2'), 875000));
    const sd = await loadPipeline(file, { config: sourceOf(files) });
    await sd.dispose();
    expect(sd.stages.scheduler.prediction).toBe('epsilon');
  });

  test('the tokenizer: CLIP’s, with the family’s padding', async () => {
    for (const [name, pad] of [
      ['sd1', 49407],
      ['sd2', 0],
    ] as const) {
      const files = await filesOf(fixture(`models/${name}`));
      for (const file of files.keys()) if (file.startsWith('tokenizer/')) files.delete(file);
      const sd = await loadPipeline(fileOf(name), { config: sourceOf(files) });
      await sd.dispose();
      const { ids } = sd.stages.textEncoders[0].tokenizer.encode('a photo of a cat');
      expect([...ids.slice(0, 8)]).toEqual([49406, 320, 1125, 539, 320, 2368, 49407, pad]);
    }
  });
});

describe('a file is refused', () => {
  const config = fixture('models/sd1');
  const refused = async (tensors: readonly TensorToWrite[]) =>
    expect(loadPipeline(await written('bad', tensors), { config })).rejects;
  const oneValue = (name: string): TensorToWrite => ({
    name,
    dtype: 'F32',
    shape: [1],
    bytes: () => new Uint8Array(4),
  });

  test('that is another kind of model, which is named', async () => {
    const flux = await refused([oneValue('model.diffusion_model.double_blocks.0.img_attn.norm.key_norm.scale')]);
    await flux.toBeInstanceOf(UnsupportedError);
    await flux.toThrow(
      /bad\.safetensors is a model of Flux, which is not supported\. Supported are Stable Diffusion 3, /,
    );
  });

  test('that is not a whole model', async () => {
    const vae = (await tensorsOf('sd1')).filter(({ name }) => name.startsWith('first_stage_model.'));
    const refusal = await refused(vae);
    await refusal.toBeInstanceOf(CheckpointError);
    await refusal.toThrow(
      /is not a whole model in one file: it has no noise predictor of a supported family \(its first tensor is first_stage/,
    );
    await (await refused([])).toThrow('it has no tensors');
  });

  test('that is truncated', async () => {
    const bytes = await readFile(fileOf('sd1'));
    const file = path.join(temporary, 'cut.safetensors');
    await writeFile(file, bytes.subarray(0, bytes.length - 100));
    await expect(loadPipeline(file, { config })).rejects.toThrow(
      /cut\.safetensors: the tensor .* the file is truncated/,
    );
  });

  test('that lacks a tensor, which is named', async () => {
    const name = 'model.diffusion_model.middle_block.1.transformer_blocks.0.attn2.to_k.weight';
    const refusal = await refused((await tensorsOf('sd1')).filter((tensor) => tensor.name !== name));
    await refusal.toMatchObject({
      code: 'missing-tensor',
      tensor: 'mid_block.attentions.0.transformer_blocks.0.attn2.to_k.weight',
    });
  });

  test('without a text encoder, unless the folder has one', async () => {
    const tensors = (await tensorsOf('sd1')).filter(({ name }) => !name.startsWith('cond_stage_model.'));
    const files = await filesOf(config);
    const bare = new Map([...files].filter(([name]) => !name.startsWith('text_encoder/')));
    const file = await written('no-text', tensors);
    const refusal = expect(loadPipeline(file, { config: sourceOf(bare) })).rejects;
    await refusal.toThrow(
      /no-text\.safetensors: has no text_encoder\. Give a folder that has one as the option config\./,
    );
    expect(await drawn(file, { config })).toEqual(await drawn(config));
  });

  test('with an impossible option', async () => {
    const prediction = 'v_prediction' as 'v';
    await expect(loadPipeline(fileOf('sd1'), { prediction })).rejects.toMatchObject({ option: 'prediction' });
  });
});

test('unused tensors are named, within a component and outside all', async () => {
  const oneValue = (name: string): TensorToWrite => ({
    name,
    dtype: 'F32',
    shape: [1],
    bytes: () => new Uint8Array(4),
  });
  const unused = ['outside.all', 'model.diffusion_model.not.known', 'first_stage_model.not.known'];
  const file = await written('unused', [...(await tensorsOf('sd1')), ...unused.map(oneValue)]);
  const sd = await loadPipeline(file, { config: fixture('models/sd1') });
  await sd.dispose();
  const messages = sd.warnings.filter(({ code }) => code === 'unused-tensors').map(({ message }) => message);
  expect(messages).toEqual([
    'The file has tensors of no component of the model: outside.all.',
    'unet has tensors that its model does not use: not.known.',
    'vae has tensors that its model does not use: not.known.',
  ]);
});
