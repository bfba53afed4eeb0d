import { createNodeBackend, openFolder } from '@sd/backend-node';
import { type Tensor, tensor } from '@sd/core';
import { afterAll } from 'vitest';
import { readGolden, sd1 } from '../../../fixtures/golden.js';
import { loadVae } from '../src/index.js';

export const backend = createNodeBackend({ threads: 1 });
afterAll(() => backend.dispose());

export const golden = readGolden();

export const scalingFactor = 0.18215;

/** The latents that the golden image was decoded from, scaled as the U-Net's. */
export const latents = times(golden('vae.latents'), scalingFactor);

export async function vaeIn(folder = sd1, variant?: string) {
  return loadVae({ source: await openFolder(folder), backend, variant });
}

/** The outputs of both halves for the golden inputs. */
export async function coded(folder?: string, variant?: string) {
  const vae = await vaeIn(folder, variant);
  const { mean, std, unscaled } = await vae.encode(golden('vae.image'));
  const image = await vae.decode(latents);
  await vae.dispose?.();
  return { unused: vae.unusedTensors, mean, std: std!, unscaled: unscaled!, image };
}

export function times({ dims, data }: Tensor<'float32'>, factor: number, shift = 0): Tensor<'float32'> {
  return tensor(
    'float32',
    dims,
    data.map((value) => value * factor + shift),
  );
}

/** Row i of a batch, as a batch of one. */
export function only({ dims, data }: Tensor<'float32'>, i: number): Tensor<'float32'> {
  const size = data.length / dims[0];
  return tensor('float32', [1, ...dims.slice(1)], data.slice(i * size, (i + 1) * size));
}
