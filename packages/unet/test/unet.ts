import { createNodeBackend, openFolder } from '@sd/backend-node';
import { type NoisePredictorInput, type Tensor, tensor } from '@sd/core';
import { afterAll } from 'vitest';
import { readGolden, sd1 } from '../../../fixtures/golden.js';
import { loadUnet } from '../src/index.js';

const backend = createNodeBackend({ threads: 1 });
afterAll(() => backend.dispose());

export const golden = readGolden();

/** The input of the golden figures. */
export const input = (timestep: number): NoisePredictorInput => ({
  sample: golden('unet.sample'),
  timestep,
  context: golden('unet.context'),
});

export async function unetIn(folder = sd1, variant?: string) {
  return loadUnet({ source: await openFolder(folder), backend, variant });
}

/** The raw output for the golden input at timestep 500. */
export async function predicted(folder?: string, variant?: string): Promise<Float32Array> {
  const unet = await unetIn(folder, variant);
  const { data } = await unet.predict(input(500));
  await unet.dispose?.();
  return data;
}

/** Row i of a batch, as a batch of one. */
export function only({ dims, data }: Tensor<'float32'>, i: number): Tensor<'float32'> {
  const size = data.length / dims[0];
  return tensor('float32', [1, ...dims.slice(1)], data.slice(i * size, (i + 1) * size));
}
