import { rm } from 'node:fs/promises';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { relativeError } from '../../../fixtures/golden.js';
import { tensorsOf, toHalf, toSingle, writeVariant } from '../../../fixtures/variants.js';
import { predicted, unetIn } from './unet.js';

const stem = 'diffusion_pytorch_model';

const folders: string[] = [];
async function writeFolder(options: Parameters<typeof writeVariant>[1]): Promise<string> {
  const folder = await writeVariant('unet', options);
  folders.push(folder);
  return folder;
}
afterAll(() => Promise.all(folders.map((folder) => rm(folder, { recursive: true }))));

let plain: Float32Array;
beforeAll(async () => {
  plain = await predicted();
});

test('sharded weights give the same output, to the bit', async () => {
  const folder = await writeFolder({
    files: [1, 2, 3].map((i) => `${stem}-0000${i}-of-00003.safetensors`),
    index: `${stem}.safetensors.index.json`,
  });
  expect(await predicted(folder)).toEqual(plain);
});

describe('half precision', () => {
  test('gives the same output as float32 files of the rounded weights, to the bit', async () => {
    const half = toHalf(await tensorsOf('unet'));
    const rounded = await predicted(await writeFolder({ tensors: toSingle(half) }));
    expect(await predicted(await writeFolder({ tensors: half }))).toEqual(rounded);
    // Each weight moves by up to 2^-11 (5e-4) of itself; over all layers that adds up to a few times as much.
    expect(relativeError(rounded, plain)).toBeLessThan(2e-3);
  });

  test.each([
    [[`${stem}.fp16.safetensors`], undefined],
    // diffusers writes this index; some folders have the one below.
    [[1, 2].map((i) => `${stem}.fp16-0000${i}-of-00002.safetensors`), `${stem}.safetensors.index.fp16.json`],
    [[1, 2].map((i) => `${stem}-0000${i}-of-00002.fp16.safetensors`), `${stem}.fp16.safetensors.index.json`],
  ])('is found in %s by %s', async (files, index) => {
    const tensors = toHalf(await tensorsOf('unet'));
    const folder = await writeFolder({ tensors, files, index });
    const alone = await predicted(await writeFolder({ tensors }));
    expect(await predicted(folder)).toEqual(alone);
    expect(await predicted(folder, 'fp16')).toEqual(alone);
  });
});

test('missing and misshapen tensors are named', async () => {
  const name = 'down_blocks.0.attentions.0.transformer_blocks.0.attn2.to_k.weight';
  const tensors = (await tensorsOf('unet')).filter((tensor) => tensor.name !== name);
  await expect(unetIn(await writeFolder({ tensors }))).rejects.toMatchObject({ code: 'missing-tensor', tensor: name });
  await expect(unetIn(await writeFolder({ config: { cross_attention_dim: 768 } }))).rejects.toMatchObject({
    code: 'misshapen-tensor',
    tensor: name,
    message: expect.stringMatching(/has the shape \[32, 32\], but its config asks for \[32, 768\]/),
  });
});
