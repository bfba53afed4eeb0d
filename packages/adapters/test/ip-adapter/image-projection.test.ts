import { CheckpointError, tensor, UnsupportedError } from '@sd/core';
import { openWeights } from '@sd/weights';
import { describe, expect, test } from 'vitest';
import { stageError } from '../../../../fixtures/deviations.js';
import { imageProjectionGraph } from '../../src/ip-adapter/image-projection.js';
import { readIpAdapter } from '../../src/ip-adapter/read.js';
import golden from '../data/image-projection.json' with { type: 'json' };
import { backend, sourceOf, zeros } from './support.js';

interface Values {
  readonly dims: readonly number[];
  readonly values: string;
}

const bytesOf = (base64: string) => Uint8Array.from(atob(base64), (character) => character.charCodeAt(0));
const tensorOf = ({ dims, values }: Values) => tensor('float32', dims, new Float32Array(bytesOf(values).buffer));

async function projected(path: string, file: Uint8Array, image: Values) {
  const adapter = readIpAdapter(await openWeights(sourceOf(path, file), path));
  const { model, width, tokenWidth } = imageProjectionGraph(adapter);
  const session = await backend.load(model);
  const { image_tokens } = await session.run({ image: tensorOf(image) });
  await session.dispose();
  return { adapter, tokens: image_tokens, widths: [width, tokenWidth] };
}

describe('the tokens of diffusers', () => {
  test.each(['plain', 'plus', 'full'] as const)('%s', async (kind) => {
    const { file, image, tokens: want } = golden[kind];
    const { adapter, tokens, widths } = await projected('adapter.safetensors', bytesOf(file), image);
    expect(adapter.kind).toBe(kind);
    expect(adapter.projection.unused()).toEqual([]);
    expect(widths).toEqual([5, 6]);
    expect(tokens.dims).toEqual(want.dims);
    expect(stageError(`ip-adapter-projection-${kind}`, tokens.data as Float32Array, tensorOf(want).data)).toBeLessThan(
      1e-5,
    );
  });

  test('from a file that torch saved', async () => {
    const { bin, image, tokens: want } = golden.plain;
    const { adapter, tokens } = await projected('adapter.bin', bytesOf(bin), image);
    expect(adapter.attentions.map(({ key, value }) => [key.shape, value.shape])).toEqual([
      [
        [4, 6],
        [4, 6],
      ],
    ]);
    expect(stageError('ip-adapter-projection-plain', tokens.data as Float32Array, tensorOf(want).data)).toBeLessThan(
      1e-5,
    );
  });
});

describe('what is no IP-Adapter of these kinds', () => {
  const read = async (shapes: Readonly<Record<string, readonly number[]>>) => {
    const adapter = readIpAdapter(await openWeights(sourceOf('a.safetensors', await zeros(shapes)), 'a.safetensors'));
    return imageProjectionGraph(adapter);
  };

  test('FaceID is named', async () => {
    const face = read({ 'image_proj.proj.0.weight': [8, 4], 'image_proj.norm.weight': [4] });
    await expect(face).rejects.toBeInstanceOf(UnsupportedError);
    await expect(face).rejects.toThrow(/a\.safetensors: is an IP-Adapter FaceID/);
  });

  test('another file is told so', async () => {
    const other = read({ 'lora_unet_x.alpha': [1] });
    await expect(other).rejects.toBeInstanceOf(CheckpointError);
    await expect(other).rejects.toThrow(/is no IP-Adapter/);
  });

  test.each([
    [
      'a missing norm',
      { 'image_proj.proj.weight': [24, 5], 'image_proj.proj.bias': [24] },
      { code: 'missing-tensor', tensor: 'norm.weight' },
    ],
    [
      'a norm of another width',
      { 'image_proj.proj.weight': [24, 5], 'image_proj.norm.weight': [5], 'image_proj.norm.bias': [5] },
      { code: 'misshapen-tensor', tensor: 'norm.weight' },
    ],
    [
      'keys without values',
      { 'image_proj.proj.weight': [24, 5], 'ip_adapter.1.to_k_ip.weight': [4, 6] },
      { code: 'missing-tensor', tensor: 'ip_adapter.1.to_v_ip.weight' },
    ],
    [
      'keys that are no matrix',
      { 'image_proj.proj.weight': [24, 5], 'ip_adapter.1.to_k_ip.weight': [4] },
      { code: 'misshapen-tensor', tensor: 'ip_adapter.1.to_k_ip.weight' },
    ],
    [
      'heads of another width than 64',
      {
        'image_proj.latents': [1, 2, 8],
        'image_proj.proj_in.weight': [8, 5],
        'image_proj.proj_out.weight': [6, 8],
        'image_proj.layers.0.0.to_q.weight': [96, 8],
      },
      { code: 'misshapen-tensor', tensor: 'image_proj.layers.0.0.to_q.weight' },
    ],
  ])('%s', async (_, shapes, error) => {
    await expect(read(shapes as Record<string, number[]>)).rejects.toMatchObject(error);
  });
});
