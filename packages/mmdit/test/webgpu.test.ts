import { createNodeBackend, openFolder } from '@sd/backend-node';
import { loadT5Encoder } from '@sd/text-encoder';
import { afterAll, describe, expect, test } from 'vitest';
import { relativeError } from '../../../fixtures/golden.js';
import { loadMmdit } from '../src/index.js';
import { golden, input, sd3 } from './mmdit.js';

// Vulkan's libraries are found when the process starts: `npm run test:webgpu` sets their path.
const backend = createNodeBackend({ provider: 'webgpu' });
afterAll(() => backend.dispose());

describe.skipIf(process.env.VK_ICD_FILENAMES === undefined)('on onnxruntime-node’s WebGPU the numbers match', () => {
  test('diffusers', async () => {
    const mmdit = await loadMmdit({ source: await openFolder(sd3), backend });
    const { data } = await mmdit.predict(input(500));
    await mmdit.dispose?.();
    expect(relativeError(data, golden('transformer.out.t500').data)).toBeLessThan(1e-4);
  });

  test('transformers for T5', async () => {
    const encoder = await loadT5Encoder({ source: await openFolder(sd3), backend });
    const ids = Int32Array.from(golden('t5.input_ids').data.subarray(0, 32));
    const [{ hidden }] = await encoder.encode([{ ids, length: ids.indexOf(1) + 1, truncated: '' }]);
    await encoder.dispose?.();
    expect(relativeError(hidden.data, golden('t5.hidden').data.subarray(0, 32 * 96))).toBeLessThan(1e-4);
  });
});
