import { stack, tensor, torchCpu } from '@sd/core';
import { readParameters } from '@sd/image';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { loadPipeline, type Pipeline } from '../../src/index.js';
import { road } from '../support.js';

let sd: Pipeline;
beforeAll(async () => {
  sd = await loadPipeline();
});
afterAll(() => sd.dispose());

const base = { ...road, steps: 3, guidanceScale: 5 };
const latentsOf = (seed: number) => tensor('float32', [4, 8, 8], torchCpu(seed).randn(256));

describe('the same image comes from', () => {
  test('the same seed, as a number or a bigint, but not from another one', async () => {
    const [first] = (await sd.generate({ ...base, seed: 7 })).images;
    const { images, seeds } = await sd.generate({ ...base, seed: 7n });
    expect(seeds).toEqual([7n]);
    expect(images[0].data).toEqual(first.data);
    expect((await sd.generate({ ...base, seed: 8 })).images[0].data).not.toEqual(first.data);
  });

  test('one run with a count of two and two single runs', async () => {
    const { images, seeds } = await sd.generate({ ...base, seed: 7, count: 2 });
    expect(seeds).toEqual([7, 8]);
    for (const [i, seed] of seeds.entries()) {
      const single = await sd.generate({ ...base, seed });
      expect(images[i].data).toEqual(single.images[0].data);
      expect(images[i].parameters?.settings).toMatchObject({ Seed: seed });
    }
  });

  test('consecutive seeds beyond 2^53', async () => {
    const { seeds } = await sd.generate({ ...base, steps: 1, seed: 2n ** 53n, count: 2 });
    expect(seeds).toEqual([2n ** 53n, 2n ** 53n + 1n]);
  });

  test('a seed and the latents drawn from it', async () => {
    const { images } = await sd.generate({ ...base, seed: 7, count: 2 });
    const given = await sd.generate({ ...base, count: 2, latents: stack([latentsOf(7), latentsOf(8)]) });
    expect(given.images.map(({ data }) => data)).toEqual(images.map(({ data }) => data));
    const repeated = await sd.generate({ ...base, count: 2, latents: stack([latentsOf(7)]) });
    expect(repeated.images.map(({ data }) => data)).toEqual([images[0].data, images[0].data]);
  });

  test('a random seed and the seed in its result', async () => {
    const { images, seeds } = await sd.generate({ ...base, seed: undefined });
    expect((await sd.generate({ ...base, seed: seeds[0] })).images[0].data).toEqual(images[0].data);
  });

  test('the parameters in its file', async () => {
    const { images } = await sd.generate({ ...base, negativePrompt: 'snow, 雪', scheduler: 'euler', seed: 9 });
    const read = await readParameters(await images[0].toPng());
    expect(read).toMatchObject({
      prompt: 'a blue car on a road',
      negativePrompt: 'snow, 雪',
      settings: { Steps: '3', Sampler: 'Euler', 'CFG scale': '5', Seed: '9', Size: '64x64' },
    });
  });
});

describe('another image comes from', () => {
  test.each([
    ['another scheduler', { scheduler: 'euler' }],
    ['a scheduler by diffusers’ name', { scheduler: 'PNDMScheduler' }],
    ['other random numbers', { rng: 'nv-philox' }],
    ['a scale of 0', { guidanceScale: 0 }],
    ['a negative prompt', { negativePrompt: 'a green tree' }],
    ['fewer layers of the text encoder', { clipSkip: 1 }],
  ] as const)('%s', async (_, options) => {
    const [plain] = (await sd.generate(base)).images;
    expect((await sd.generate({ ...base, ...options })).images[0].data).not.toEqual(plain.data);
  });
});

test('the image has the size that the model was trained on by default', async () => {
  const { images } = await sd.generate({ prompt: 'a car', steps: 1 });
  expect(images).toMatchObject([{ width: 128, height: 128 }]);
});

test('the error for an unknown scheduler lists the known ones', async () => {
  await expect(sd.generate({ ...base, scheduler: 'eulr' })).rejects.toMatchObject({
    code: 'invalid-option',
    option: 'scheduler',
    message: expect.stringMatching(/"eulr".*ddim, pndm, euler.*unipc.*-karras.*DDIMScheduler/),
  });
});

test('a prompt beyond the model’s 32 tokens is truncated, with a warning that quotes the rest', async () => {
  const long = `${Array(30).fill('car').join(' ')} tree house`;
  const { warnings, images } = await sd.generate({ ...base, prompt: long, negativePrompt: `${long} road` });
  expect(warnings).toEqual([
    { code: 'prompt-truncated', message: `prompt is longer than the model's 32 tokens. Left out: "tree house".` },
    {
      code: 'prompt-truncated',
      message: `negativePrompt is longer than the model's 32 tokens. Left out: "tree house road".`,
    },
  ]);
  expect(images[0].parameters?.prompt).toBe(long);
  expect((await sd.generate(base)).warnings).toEqual([]);
});
