import { readFileSync } from 'node:fs';
import { SdError, UnsupportedError } from '@sd/core';
import { describe, expect, test } from 'vitest';
import { openWeights, type TensorView, toFloat32 } from '../src/index.js';
import { memorySource } from './memory.js';

// Made by data/make_gguf.py.
const bytes = new Uint8Array(readFileSync(new URL('data/gguf/all.gguf', import.meta.url)));
const open = (file: Uint8Array) => openWeights(memorySource({ x: file }), 'x');
const valuesOf = async ({ dtype, file, offset, length }: TensorView) =>
  Array.from(toFloat32(dtype, (await file.read()).slice(offset, offset + length)));

describe('a GGUF file', () => {
  test.each(['Q4_0', 'Q4_1', 'Q5_0', 'Q5_1', 'Q8_0', 'Q2_K', 'Q3_K', 'Q4_K', 'Q5_K', 'Q6_K', 'BF16'])(
    'has tensors of %s with the values that the package gguf gives',
    async (type) => {
      const { tensors, stored } = await open(bytes);
      const [view, wanted] = [tensors.get(type)!, tensors.get(`${type}.f32`)!];
      expect([stored.get(type)!.dtype, view.shape]).toEqual([type, wanted.shape]);
      expect(await valuesOf(view)).toEqual(await valuesOf(wanted));
    },
  );

  test('has shapes in torch’s order, or those from before ComfyUI-GGUF changed them', async () => {
    const { tensors } = await open(bytes);
    expect(tensors.get('conv')).toMatchObject({ dtype: 'F16', shape: [2, 1, 3, 3] });
    expect(await valuesOf(tensors.get('conv')!)).toEqual(Array.from({ length: 18 }, (_, i) => i));
    expect(tensors.get('reshaped')!.shape).toEqual([2, 4, 8]);
    expect(await valuesOf(tensors.get('double')!)).toEqual([Math.fround(0.1), Math.fround(1 / 3)]);
  });

  test('has its architecture and other short values as metadata', async () => {
    const { metadata } = await open(bytes);
    expect(metadata).toMatchObject({ 'general.architecture': 'sdxl', 'a.number': '0.5', 'a.flag': 'true' });
    expect(Object.keys(metadata)).not.toContain('a.long.list');
  });

  test('with a type that is not read is refused, naming it', async () => {
    const changed = bytes.slice();
    const at = Buffer.from(changed).indexOf('Q4_0') + 4 + 4 + 2 * 8;
    new DataView(changed.buffer).setUint32(at, 16, true);
    await expect(open(changed)).rejects.toBeInstanceOf(UnsupportedError);
    await expect(open(changed)).rejects.toThrow(/the tensor Q4_0 has ggml's type 16/);
  });

  test('that is cut off anywhere, or has a changed byte in its header, is an SdError', async () => {
    const start = Buffer.from(bytes).indexOf('BF16.f32') + 64;
    const judge = async (file: Uint8Array) => {
      const error = await open(file).then(
        () => undefined,
        (error: unknown) => error,
      );
      expect(error === undefined || SdError.isInstance(error)).toBe(true);
      return error;
    };
    for (let length = 4; length < bytes.length; length += length < start ? 7 : 501) {
      expect(await judge(bytes.slice(0, length))).toMatchObject({ code: 'bad-checkpoint' });
    }
    for (let at = 4; at < start; at += 3) {
      const changed = bytes.slice();
      changed[at] ^= 0xff;
      await judge(changed);
    }
  });
});
