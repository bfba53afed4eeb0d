import { rm } from 'node:fs/promises';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { relativeError } from '../../../fixtures/golden.js';
import { tensorsOf, toHalf, toSingle, writeVariant } from '../../../fixtures/variants.js';
import { predicted, unetIn } from './unet.js';

const stem = 'diffusion_pytorch_model';

const folders: string[] = [];
async function written(options: Parameters<typeof writeVariant>[1]): Promise<string> {
  const folder = await writeVariant('unet', options);
  folders.push(folder);
  return folder;
}
afterAll(() => Promise.all(folders.map((folder) => rm(folder, { recursive: true }))));

let plain: Float32Array;
beforeAll(async () => {
  plain = await predicted();
});

test('shards give the same bits', async () => {
  const folder = await written({
    files: [1, 2, 3].map((i) => `${stem}-0000${i}-of-00003.safetensors`),
    index: `${stem}.safetensors.index.json`,
  });
  expect(await predicted(folder)).toEqual(plain);
});

describe('half precision', () => {
  test('is what float32 files of the same rounded weights give, to the bit', async () => {
    const half = toHalf(await tensorsOf('unet'));
    const rounded = await predicted(await written({ tensors: toSingle(half) }));
    expect(await predicted(await written({ tensors: half }))).toEqual(rounded);
    // Each weight moves by up to 2^-11 (5e-4) of itself; over all layers that adds up to a few times as much.
    expect(relativeError(rounded, plain)).toBeLessThan(2e-3);
  });

  test.each([
    [[`${stem}.fp16.safetensors`], undefined],
    // diffusers writes this index; some folders have the other.
    [[1, 2].map((i) => `${stem}.fp16-0000${i}-of-00002.safetensors`), `${stem}.safetensors.index.fp16.json`],
    [[1, 2].map((i) => `${stem}-0000${i}-of-00002.fp16.safetensors`), `${stem}.fp16.safetensors.index.json`],
  ])('is found in %s by %s', async (files, index) => {
    const tensors = toHalf(await tensorsOf('unet'));
    const folder = await written({ tensors, files, index });
    const alone = await predicted(await written({ tensors }));
    expect(await predicted(folder)).toEqual(alone);
    expect(await predicted(folder, 'fp16')).toEqual(alone);
  });
});

test('a missing tensor and a misshapen one are named', async () => {
  const name = 'down_blocks.0.attentions.0.transformer_blocks.0.attn2.to_k.weight';
  const tensors = (await tensorsOf('unet')).filter((tensor) => tensor.name !== name);
  await expect(unetIn(await written({ tensors }))).rejects.toMatchObject({ code: 'missing-tensor', tensor: name });
  await expect(unetIn(await written({ config: { cross_attention_dim: 768 } }))).rejects.toMatchObject({
    code: 'misshapen-tensor',
    tensor: name,
    message: expect.stringMatching(/has the shape \[32, 32\], but its config asks for \[32, 768\]/),
  });
});
