import { openWeights } from '@sd/weights';
import { expect, test } from 'vitest';
import { fileOf, memorySource } from '../../../weights/test/memory.js';
import { type Lora, openLora } from '../../src/index.js';
import { families } from '../families.js';
import { type Layer, normal, resultOf, type Values } from './support.js';

const layer: Layer = { name: 'mid_block.layer', weight: normal(8, 6) };
const [down, up, x] = [normal(4, 6), normal(8, 4), normal(1, 3, 6)];
type Stored = readonly [dtype: string, shape: readonly number[], bytes: ArrayBufferLike];
const f32 = ({ shape, data }: Values): Stored => ['F32', shape, Float32Array.from(data).buffer];
const f64 = ({ shape, data }: Values): Stored => ['F64', shape, Float64Array.from(data).buffer];

async function opened(tensors: Readonly<Record<string, Stored>>, sizes: boolean): Promise<Lora> {
  const file = await fileOf(
    Object.entries(tensors).map(([slot, [dtype, shape, buffer]]) => ({
      name: `lora_unet_mid_block_layer.${slot}`,
      dtype: dtype as 'F32',
      shape,
      bytes: () => new Uint8Array(buffer),
    })),
  );
  return openLora(await openWeights(memorySource({ a: file }, { sizes }), 'a'), { name: 'style', families });
}

const withAlpha = (alpha: Stored, sizes = true) =>
  opened({ 'lora_down.weight': f32(down), 'lora_up.weight': f32(up), alpha }, sizes);

test.each<Stored>([
  ['F64', [], Float64Array.of(3).buffer],
  ['F64', [1], Float64Array.of(3).buffer],
  ['F16', [], Uint16Array.of(0x4200).buffer],
  ['BF16', [], Uint16Array.of(0x4040).buffer],
  ['I64', [], BigInt64Array.of(3n).buffer],
  ['I64', [1], BigInt64Array.of(3n).buffer],
  ['U64', [], BigUint64Array.of(3n).buffer],
  ['I32', [], Int32Array.of(3).buffer],
  ['U32', [1, 1], Uint32Array.of(3).buffer],
  ['I16', [], Int16Array.of(3).buffer],
  ['U16', [], Uint16Array.of(3).buffer],
  ['I8', [], Int8Array.of(3).buffer],
  ['U8', [], Uint8Array.of(3).buffer],
])('an alpha that is %s of shape %j', async (...alpha) => {
  const want = await resultOf(layer, x, await withAlpha(['F32', [], Float32Array.of(3).buffer]), 0.7);
  for (const sizes of [true, false]) {
    expect(await resultOf(layer, x, await withAlpha(alpha, sizes), 0.7)).toEqual(want);
  }
});

test('an alpha that is true is 1', async () => {
  const want = await resultOf(layer, x, await withAlpha(['F32', [], Float32Array.of(1).buffer]), 0.7);
  expect(await resultOf(layer, x, await withAlpha(['BOOL', [], Uint8Array.of(1).buffer]), 0.7)).toEqual(want);
});

test('factors in float64', async () => {
  const want = await opened({ 'lora_down.weight': f32(down), 'lora_up.weight': f32(up) }, true);
  const got = await opened({ 'lora_down.weight': f64(down), 'lora_up.weight': f64(up) }, true);
  expect(await resultOf(layer, x, got, 0.7)).toEqual(await resultOf(layer, x, want, 0.7));
});

test('an alpha of several numbers is none', async () => {
  await expect(withAlpha(['F32', [2], Float32Array.of(3, 3).buffer])).rejects.toThrow(
    'a: has the tensor lora_unet_mid_block_layer.alpha of shape [2], which should be one number.',
  );
});
