import { createNodeBackend, openFolder } from '@sd/backend-node';
import { type NoisePredictorInput, type Tensor, tensor } from '@sd/core';
import { afterAll } from 'vitest';
import { fixture, readGolden } from '../../../fixtures/golden.js';
import { loadMmdit } from '../src/index.js';

export const backend = createNodeBackend({ threads: 1 });
afterAll(() => backend.dispose());

export const sd3 = fixture('models/sd3');

export const golden = readGolden('golden.safetensors', sd3);

/** The inputs of the reference figures: fixtures/python/make.py sd3. */
export const input = (timestep: number): NoisePredictorInput => ({
  sample: golden('transformer.sample'),
  timestep,
  context: golden('transformer.context'),
  conditions: { pooled_projections: golden('transformer.pooled') },
});

export async function mmditIn(folder = sd3) {
  return loadMmdit({ source: await openFolder(folder), backend });
}

/** Row i of a batch, as a batch of one. */
export function only({ dims, data }: Tensor<'float32'>, i: number): Tensor<'float32'> {
  const size = data.length / dims[0];
  return tensor('float32', [1, ...dims.slice(1)], data.slice(i * size, (i + 1) * size));
}
