import { beforeAll, describe, expect, test } from 'vitest';
import type { microConditioningRows } from '../../src/families/sdxl/micro-conditioning.js';
import { folderFiles } from '../../src/load/model-files.js';
import { type ModelIndex, readModelIndex } from '../../src/load/model-index.js';
import { edited, filesOf, mockStages, sourceOf } from '../support.js';

const index = 'model_index.json';
let files: Map<string, Uint8Array>;
beforeAll(async () => {
  files = await filesOf();
});
const readIndex = (files: ReadonlyMap<string, Uint8Array>, replaced: readonly string[] = []) =>
  readModelIndex(folderFiles(sourceOf(files), undefined), new Set(replaced));
const read = (values: object, replaced: readonly string[] = []) => readIndex(edited(files, index, values), replaced);
const broken = (text: string) => readIndex(new Map([[index, new TextEncoder().encode(text)]]));

describe('components that are not used', () => {
  const none = { safety_checker: undefined, feature_extractor: undefined, image_encoder: undefined };

  test.each([
    ['nothing', none, []],
    [
      'a safety checker',
      { ...none, safety_checker: ['stable_diffusion', 'StableDiffusionSafetyChecker'] },
      ['safety_checker (StableDiffusionSafetyChecker) is not used.'],
    ],
    [
      'a feature extractor',
      { ...none, feature_extractor: ['transformers', 'CLIPImageProcessor'] },
      ['feature_extractor (CLIPImageProcessor) is not used.'],
    ],
    [
      'an image encoder',
      { ...none, image_encoder: ['transformers', 'CLIPVisionModelWithProjection'] },
      ['image_encoder (CLIPVisionModelWithProjection) is not used.'],
    ],
    ['an entry of nulls', { ...none, safety_checker: [null, null] }, []],
    ['a null for a text encoder of other families', { ...none, text_encoder_2: null }, []],
  ])('%s', async (_, values, messages) => {
    const { warnings } = await read(values);
    expect(warnings).toEqual(messages.map((message) => ({ code: 'part-skipped', message })));
  });
});

describe('components that are required', () => {
  test.each([
    ['text_encoder', 'T5EncoderModel'],
    ['unet', 'FluxTransformer2DModel'],
    ['vae', 'AutoencoderKLWan'],
    ['tokenizer', 'T5Tokenizer'],
    ['scheduler', 'NoSuchScheduler'],
  ])('%s of an unknown class is named', async (part, name) => {
    await expect(read({ [part]: ['library', name] })).rejects.toMatchObject({
      code: 'unsupported',
      message: expect.stringContaining(`${part} is a ${name}`),
    });
    expect(await read({ [part]: ['library', name] }, [part])).toMatchObject({ warnings: [] });
  });

  test.each([[undefined], [null], [[null, null]], ['UNet2DConditionModel']])(
    'a U-Net of %j is missing',
    async (unet) => {
      await expect(read({ unet })).rejects.toMatchObject({
        code: 'bad-config',
        file: index,
        message: 'model_index.json: lists no unet, which is needed.',
      });
    },
  );

  test('the scheduler has the class that the index names', async () => {
    expect(await read({ scheduler: ['diffusers', 'DDIMScheduler'] })).toMatchObject({
      schedulerClass: 'DDIMScheduler',
    });
  });
});

test.each([
  ['low_res_scheduler', 'DDPMScheduler'],
  ['depth_estimator', 'DPTForDepthEstimation'],
  ['image_normalizer', 'StableUnCLIPImageNormalizer'],
])('an unknown component is named: %s', async (part, name) => {
  await expect(read({ [part]: ['library', name] })).rejects.toMatchObject({
    code: 'unsupported',
    message: expect.stringContaining(`${part}, a ${name}`),
  });
});

/** The settings that a model's composition takes from its index. */
function flagsOf({ family, values }: ModelIndex) {
  const { zeroNegative, options } = family.composition(mockStages(), values);
  const { microConditioning } = options as Partial<ReturnType<typeof microConditioningRows>>;
  const takesScore = () => microConditioning?.check?.('microConditioning', { aestheticScore: 6 });
  return { zeroNegative, aestheticScore: microConditioning !== undefined && !throws(takesScore) };
}

function throws(call: () => void): boolean {
  try {
    call();
    return false;
  } catch {
    return true;
  }
}

describe('two text encoders', () => {
  const tokenizer = ['transformers', 'CLIPTokenizer'];
  const two = { text_encoder_2: ['transformers', 'CLIPTextModelWithProjection'], tokenizer_2: tokenizer };
  const first = { tokenizer: 'tokenizer', name: 'text_encoder' };
  const second = { tokenizer: 'tokenizer_2', name: 'text_encoder_2' };

  test.each([
    ['one', {}, 'sd1', [first]],
    ['both of SDXL', two, 'sdxl', [first, second]],
    [
      'only the second, as in its refiner',
      { ...two, text_encoder: [null, null], tokenizer: [null, null] },
      'sdxl-refiner',
      [second],
    ],
  ])('%s', async (_, values, id, textEncoders) => {
    const index = await read(values);
    expect(index.family.id).toBe(id);
    expect(index.textEncoders).toMatchObject(textEncoders);
    expect(flagsOf(index)).toEqual({ zeroNegative: id !== 'sd1', aestheticScore: false });
  });

  test('each needs its tokenizer', async () => {
    await expect(read({ ...two, tokenizer_2: undefined })).rejects.toThrow('lists no tokenizer_2, which is needed.');
  });

  test('the index’s other values', async () => {
    const index = await read({ ...two, force_zeros_for_empty_prompt: false, requires_aesthetics_score: true });
    expect(flagsOf(index)).toEqual({ zeroNegative: false, aestheticScore: true });
    await expect(read({ is_cosxl_edit: true })).rejects.toThrow('is_cosxl_edit is true; this version supports false');
  });
});

test('a missing or broken index is named', async () => {
  await expect(readIndex(new Map())).rejects.toMatchObject({ code: 'not-found', path: index });
  await expect(broken('{"unet": [')).rejects.toMatchObject({ code: 'bad-config', file: index });
  await expect(broken('[]')).rejects.toMatchObject({ code: 'bad-config', file: index });
});
