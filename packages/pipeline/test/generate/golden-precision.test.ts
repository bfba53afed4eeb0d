import { createNodeBackend } from '@sd/backend-node';
import { afterAll, expect, test } from 'vitest';
import { stageError } from '../../../../fixtures/deviations.js';
import { fixture, readGolden } from '../../../../fixtures/golden.js';
import { loadPipeline } from '../../src/index.js';
import { compareRun, road } from '../start-support.js';

const backend = createNodeBackend({ threads: 1 });
afterAll(() => backend.dispose());

const bfloat16 = fixture('models/sd1-bfloat16');
const files = fixture('adapters/single-file');
const sd1 = fixture('models/sd1');

test.each([
  ['bfloat16', bfloat16, {}, readGolden('golden.safetensors', bfloat16)],
  ['float8', `${files}/sd1-float8.safetensors`, { config: sd1 }, readGolden('golden-float8.safetensors', files)],
])(
  'weights in %s match diffusers with the weights widened to float32: text, U-Net, a whole run',
  async (name, place, options, golden) => {
    const sd = await loadPipeline(place, { ...options, backend });
    const { textEncoders, noisePredictor } = sd.stages;
    const [{ tokenizer, textEncoder }] = textEncoders;
    const prompts = [road.prompt, road.negativePrompt].map((prompt) => tokenizer.encode(prompt));
    const [prompt, negative] = await textEncoder.encode(prompts);
    expect(stageError(name, prompt.hidden.data, golden('text.prompt').data)).toBeLessThan(1e-5);
    expect(stageError(name, negative.hidden.data, golden('text.negative').data)).toBeLessThan(1e-5);
    const [sample, context] = [golden('unet.sample'), golden('text.prompt')];
    const { data } = await noisePredictor.predict({ sample, timestep: 500, context });
    expect(stageError(name, data, golden('unet.out.t500').data)).toBeLessThan(1e-5);

    const run = { ...road, width: 96, height: 64, steps: 4 };
    const { latents, colours } = await compareRun(sd, golden, 'run', run, { row: name });
    await sd.dispose();
    expect(latents).toBeLessThan(1e-3);
    expect(colours).toBeLessThanOrEqual(1);
  },
);

test('a .ckpt saved by torch generates what its folder does', async () => {
  const golden = readGolden('golden.safetensors', sd1);
  const sd = await loadPipeline(`${files}/sd1.ckpt`, { config: sd1, backend });
  const run = { ...road, width: 96, height: 64, steps: 6 };
  const { latents, colours } = await compareRun(sd, golden, 'run', run, { row: 'ckpt' });
  await sd.dispose();
  expect(latents).toBeLessThan(1e-3);
  expect(colours).toBeLessThanOrEqual(1);
});
