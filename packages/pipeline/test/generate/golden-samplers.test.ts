import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { readGolden, sd1 } from '../../../../fixtures/golden.js';
import { type GenerateOptions, loadPipeline, type Pipeline } from '../../src/index.js';
import { compareRun, road } from '../start-support.js';

const golden = readGolden('runs.safetensors', sd1);
const size = { width: 96, height: 64 };

let sd: Pipeline;
beforeAll(async () => {
  sd = await loadPipeline(sd1);
});
afterAll(() => sd.dispose());

async function check(name: string, options: Partial<GenerateOptions>, skipped = 0) {
  const run = { ...road, ...size, ...options };
  const { latents, colours } = await compareRun(sd, golden, name, run, { row: 'sd1-samplers', skipped });
  expect(latents).toBeLessThan(1e-3);
  expect(colours).toBeLessThanOrEqual(1);
}

describe('whole runs match diffusers', () => {
  test.each([
    'ddim',
    'ddpm',
    'euler',
    'euler-karras',
    'euler-ancestral',
    'heun',
    'lms',
    'dpmpp-2m',
    'dpmpp-2m-karras',
    'dpmpp-2m-sde',
    'dpmpp-2s',
    'unipc',
    'deis',
    'sa-solver',
    'lcm',
    'tcd',
    'dpmpp-3m',
  ])('%s', (name) => check(name, { scheduler: name, steps: 6 }));
});

test('a second pass at twice the size', async () => {
  const upscale = { factor: 2, strength: 0.7, steps: 6 };
  await check('upscale', { width: 48, height: 32, steps: 4, scheduler: 'euler', upscale }, 4);
});

test('a variation of a seed', () => check('variation', { steps: 4, variationSeed: 7, variationStrength: 0.3 }));

test('a blend of two prompts', () => {
  return check('blend', { steps: 4, blend: { prompt: 'a red house', negativePrompt: 'snow', amount: 0.25 } });
});
