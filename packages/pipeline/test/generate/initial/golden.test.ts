import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { fromPicture, readGolden, sd1 } from '../../../../../fixtures/golden.js';
import { type GenerateOptions, loadPipeline, type Pipeline } from '../../../src/index.js';
import { bytesOf, compareRun, loadInpainting, road } from '../../start-support.js';

const [image, mask, small, smallMask, grey] = ['image', 'mask', 'image-small', 'mask-small', 'mask-grey'].map((name) =>
  bytesOf(fromPicture, `${name}.png`),
);
const goldens = readGolden('golden.safetensors', fromPicture);
const runGoldens = readGolden('runs.safetensors', fromPicture);

let sd: Pipeline;
let inpainting: Pipeline;
beforeAll(async () => {
  [sd, inpainting] = await Promise.all([loadPipeline(sd1), loadInpainting()]);
});
afterAll(() => Promise.all([sd.dispose(), inpainting.dispose()]));

type Case = [name: string, options: Partial<GenerateOptions>, golden?: typeof goldens];

async function check(pipeline: Pipeline, row: string, [name, options, golden = runGoldens]: Case) {
  const { latents, colours } = await compareRun(pipeline, golden, name, { ...road, image, ...options }, { row });
  expect(latents).toBeLessThan(1e-3);
  expect(colours).toBeLessThanOrEqual(1);
}

describe('image to image matches diffusers', () => {
  test.each<Case>([
    ['img2img.run', { steps: 10, strength: 0.6 }, goldens],
    ['img2img.euler.3', { scheduler: 'EulerDiscreteScheduler', steps: 20, strength: 0.3 }],
    ['img2img.euler.10', { scheduler: 'EulerDiscreteScheduler', steps: 6, strength: 1 }],
    ['img2img.euler-ancestral.5', { scheduler: 'EulerAncestralDiscreteScheduler', steps: 10, strength: 0.5 }],
    ['img2img.dpmpp-2m.6', { scheduler: 'DPMSolverMultistepScheduler', steps: 10, strength: 0.6 }],
    ['img2img.dpmpp-2m-sde-karras.5', { scheduler: 'dpmpp-2m-sde-karras', steps: 10, strength: 0.5 }],
    ['img2img.heun.5', { scheduler: 'HeunDiscreteScheduler', steps: 8, strength: 0.5 }],
    ['img2img.unipc.5', { scheduler: 'UniPCMultistepScheduler', steps: 10, strength: 0.5 }],
    ['img2img.pndm.10', { steps: 6, strength: 1 }],
    ['img2img.lcm.5', { scheduler: 'LCMScheduler', steps: 8, strength: 0.5 }],
  ])('%s', (...run) => check(sd, 'sd1-from-picture', run));
});

describe('inpainting with 4 channels matches diffusers', () => {
  test.each<Case>([
    ['inpaint4.run', { mask, steps: 8, strength: 0.9 }, goldens],
    ['inpaint4.ddim.small', { image: small, mask: smallMask, scheduler: 'DDIMScheduler', steps: 8, strength: 0.75 }],
    ['inpaint4.euler-ancestral.10', { mask, scheduler: 'EulerAncestralDiscreteScheduler', steps: 6 }],
    ['inpaint4.heun.10', { mask, scheduler: 'HeunDiscreteScheduler', steps: 6 }],
    ['inpaint4.dpmpp-2m.8', { mask, scheduler: 'DPMSolverMultistepScheduler', steps: 10, strength: 0.8 }],
  ])('%s', (...run) => check(sd, 'sd1-from-picture', run));
});

describe('inpainting with 9 channels matches diffusers', () => {
  test.each<Case>([
    ['inpaint9.run', { mask, steps: 8 }, goldens],
    ['inpaint9.euler.8', { mask: grey, scheduler: 'EulerDiscreteScheduler', steps: 8, strength: 0.8 }],
    ['inpaint9.euler-ancestral.10', { mask, scheduler: 'EulerAncestralDiscreteScheduler', steps: 6 }],
  ])('%s', (...run) => check(inpainting, 'sd1-inpaint', run));
});
