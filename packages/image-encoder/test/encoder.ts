import { createNodeBackend, openFolder } from '@sd/backend-node';
import { afterAll } from 'vitest';
import { fixture, readGolden } from '../../../fixtures/golden.js';
import { loadImageEncoder } from '../src/index.js';

export const backend = createNodeBackend({ threads: 1 });
afterAll(() => backend.dispose());

export const folder = fixture('adapters/ip-adapter');
export const golden = readGolden('golden.safetensors', folder);

/** Pixels a side of the pictures that the model of the figures takes. */
export const size = 32;

export async function encoderIn(where = folder) {
  return loadImageEncoder({ source: await openFolder(where), backend });
}
