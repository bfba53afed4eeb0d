import { rm } from 'node:fs/promises';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { relativeError } from '../../../fixtures/golden.js';
import { renamed, type TensorToWrite, tensorsOf, toHalf, toSingle, writeVariant } from '../../../fixtures/variants.js';
import { coded, vaeIn } from './vae.js';

const stem = 'diffusion_pytorch_model';

const folders: string[] = [];
async function writeFolder(options: Parameters<typeof writeVariant>[1]): Promise<string> {
  const folder = await writeVariant('vae', options);
  folders.push(folder);
  return folder;
}
afterAll(() => Promise.all(folders.map((folder) => rm(folder, { recursive: true }))));

let plain: Awaited<ReturnType<typeof coded>>;
beforeAll(async () => {
  plain = await coded();
});

const oldNames: Readonly<Record<string, string>> = {
  to_q: 'query',
  to_k: 'key',
  to_v: 'value',
  'to_out.0': 'proj_attn',
};

/** The VAE's tensors with attention named as in SD 1.5's file; `asConvolutions` gives its matrices the shape of 1 x 1 convolutions. */
async function oldAttention(asConvolutions: boolean): Promise<TensorToWrite[]> {
  return (await tensorsOf('vae')).map((tensor) => {
    const match = /^(.+\.attentions\.0\.)(to_q|to_k|to_v|to_out\.0)\.(weight|bias)$/.exec(tensor.name);
    if (match === null) return tensor;
    const [, at, name, kind] = match;
    const shape = asConvolutions && kind === 'weight' ? [...tensor.shape, 1, 1] : tensor.shape;
    return renamed(tensor, `${at}${oldNames[name]}.${kind}`, shape);
  });
}

describe('the output is the same, to the bit, with', () => {
  test('attention under its old names', async () => {
    const tensors = await oldAttention(false);
    expect(tensors.filter(({ name }) => /\.(query|key|value|proj_attn)\./.test(name))).toHaveLength(16);
    expect(await coded(await writeFolder({ tensors }))).toEqual(plain);
  });

  test('attention under its old names, as 1 x 1 convolutions', async () => {
    const tensors = await oldAttention(true);
    expect(tensors.filter(({ shape }) => String(shape) === '32,32,1,1').length).toBeGreaterThanOrEqual(8);
    expect(await coded(await writeFolder({ tensors }))).toEqual(plain);
  });

  test('attention under its new names, as 1 x 1 convolutions', async () => {
    const tensors = (await tensorsOf('vae')).map((tensor) =>
      /\.to_[a-z0.]+\.weight$/.test(tensor.name) ? renamed(tensor, tensor.name, [...tensor.shape, 1, 1]) : tensor,
    );
    expect(await coded(await writeFolder({ tensors }))).toEqual(plain);
  });

  test('sharded weights', async () => {
    const folder = await writeFolder({
      files: [1, 2].map((i) => `${stem}-0000${i}-of-00002.safetensors`),
      index: `${stem}.safetensors.index.json`,
    });
    expect(await coded(folder)).toEqual(plain);
  });
});

test('a tensor under both of its names is an error', async () => {
  const tensors = await tensorsOf('vae');
  const old = renamed(
    tensors.find(({ name }) => name === 'decoder.mid_block.attentions.0.to_q.bias')!,
    'decoder.mid_block.attentions.0.query.bias',
  );
  await expect(vaeIn(await writeFolder({ tensors: [...tensors, old] }))).rejects.toMatchObject({
    code: 'bad-checkpoint',
    message: expect.stringMatching(/has the tensor decoder\.mid_block\.attentions\.0\.to_q\.bias twice/),
  });
});

describe('half precision', () => {
  test('gives the same output as float32 files of the rounded weights, to the bit', async () => {
    const half = toHalf(await tensorsOf('vae'));
    const rounded = await coded(await writeFolder({ tensors: toSingle(half) }));
    expect(await coded(await writeFolder({ tensors: half }))).toEqual(rounded);
    // Each weight moves by up to 2^-11 (5e-4) of itself; over all layers that adds up to a few times as much.
    expect(relativeError(rounded.image.data, plain.image.data)).toBeLessThan(2.5e-3);
    expect(relativeError(rounded.mean.data, plain.mean.data)).toBeLessThan(2.5e-3);
    expect(relativeError(rounded.std.data, plain.std.data)).toBeLessThan(2.5e-3);
  });

  test.each([
    [[`${stem}.fp16.safetensors`], undefined],
    [[1, 2].map((i) => `${stem}.fp16-0000${i}-of-00002.safetensors`), `${stem}.safetensors.index.fp16.json`],
  ])('is found in %s by %s', async (files, index) => {
    const tensors = toHalf(await tensorsOf('vae'));
    const folder = await writeFolder({ tensors, files, index });
    const alone = await coded(await writeFolder({ tensors }));
    expect(await coded(folder)).toEqual(alone);
    expect(await coded(folder, 'fp16')).toEqual(alone);
  });
});

test('a missing tensor is named', async () => {
  const name = 'decoder.mid_block.attentions.0.to_k.weight';
  const tensors = (await tensorsOf('vae')).filter((tensor) => tensor.name !== name);
  await expect(vaeIn(await writeFolder({ tensors }))).rejects.toMatchObject({ code: 'missing-tensor', tensor: name });
});
