import { createNodeBackend, openFolder } from '@sd/backend-node';
import { afterAll } from 'vitest';
import { fixture, readGolden } from '../../../fixtures/golden.js';
import { loadImageEncoder } from '../src/index.js';

export const backend = createNodeBackend({ threads: 1 });
afterAll(() => backend.dispose());

export const folder = fixture('adapters/ip-adapter');
export const golden = readGolden('golden.safetensors', folder);

/** Input size of the golden figures' model. */
export const size = 32;

export async function encoderIn(path = folder) {
  return loadImageEncoder({ source: await openFolder(path), backend });
}
