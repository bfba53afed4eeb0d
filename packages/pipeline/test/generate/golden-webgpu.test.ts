import { createNodeBackend } from '@sd/backend-node';
import { afterAll, expect, test } from 'vitest';
import { readGolden, sd1 } from '../../../../fixtures/golden.js';
import { largestDifference } from '../../../image/test/support.js';
import { type LoadPipelineOptions, loadPipeline } from '../../src/index.js';
import { compareRun, road } from '../start-support.js';

// Vulkan looks for its libraries when the process starts: `npm run test:webgpu` sets their paths.
const driver = process.env.VK_ICD_FILENAMES;
const backend = createNodeBackend({ provider: 'webgpu' });
afterAll(() => backend.dispose());

test.skipIf(driver === undefined)('a PNDM run on onnxruntime-node’s WebGPU matches diffusers', async () => {
  const golden = readGolden('golden.safetensors', sd1);
  const sd = await loadPipeline(sd1, { backend });
  const run = { ...road, width: 96, height: 64, steps: 6 };
  const { latents, colours } = await compareRun(sd, golden, 'run', run);
  await sd.dispose();
  expect(latents).toBeLessThan(1e-3);
  expect(colours).toBeLessThanOrEqual(1);
});

test.skipIf(driver === undefined)('attention maps of one step match those of the CPU', async () => {
  const run = { ...road, width: 64, height: 64, steps: 2, scheduler: 'euler', attentionMaps: { steps: [1] } };
  const mapsOn = async (options?: LoadPipelineOptions) => {
    const sd = await loadPipeline(sd1, options);
    const { attentionMaps } = await sd.generate(run);
    await sd.dispose();
    return Float32Array.from(attentionMaps![0].flatMap(({ data }) => [...data]));
  };
  const maps = await mapsOn({ backend });
  expect(maps).toHaveLength(6 * 64);
  expect(largestDifference(maps, await mapsOn())).toBeLessThan(1e-4);
});

test.skipIf(driver?.includes('swiftshader') !== true)(
  'the backend detects that its fused attention is wrong on SwiftShader',
  async () => {
    await backend.ready?.();
    expect(backend.features).toEqual({ float16: false, fusedAttention: false });
    expect(backend.warnings).toMatchObject([{ code: 'plain-attention' }]);
  },
);
