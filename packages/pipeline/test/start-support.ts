import { readFileSync } from 'node:fs';
import { openFolder } from '@sd/backend-node';
import type { NoiseLevel, Tensor } from '@sd/core';
import { expect } from 'vitest';
import { measured } from '../../../fixtures/deviations.js';
import { sd1, sd1Inpaint } from '../../../fixtures/golden.js';
import { largestDifference, rgbOf } from '../../image/test/support.js';
import { type GenerateOptions, loadPipeline, type Pipeline, type StepEvent } from '../src/index.js';

/** Options that all golden runs share; their size is that of the initial image. */
export const road = { prompt: 'a blue car on a road', negativePrompt: 'pixel art', guidanceScale: 7.5, seed: 42 };

/** The bytes of a fixture's file. */
export function bytesOf(folder: string, file: string): Uint8Array {
  return readFileSync(`${folder}/${file}`);
}

/** The SD 1 fixture with an inpainting U-Net. */
export async function loadInpainting(): Promise<Pipeline> {
  const [base, inpainting] = await Promise.all([openFolder(sd1), openFolder(sd1Inpaint)]);
  return loadPipeline({
    read: (path, range) => (path.startsWith('unet/') ? inpainting : base).read(path, range),
  });
}

export interface RunFigures {
  /** Largest difference between latents, over all steps. */
  readonly latents: number;
  /** Largest difference between 8-bit colours. */
  readonly colours: number;
}

interface CompareOptions {
  readonly row?: string;
  readonly skipped?: number;
  readonly levels?: readonly NoiseLevel[];
}

/**
 * Runs a pipeline and compares it with diffusers' golden values `name.latents.<step>` and `name.image`. Where diffusers keeps
 * its latents divided by alpha, ours are rescaled with `name.sigmas`, or with the run's `levels`. The first `skipped` steps
 * have no golden values. The largest differences are recorded for `row` of docs/compatibility.md.
 */
export async function compareRun(
  sd: Pipeline,
  golden: (name: string) => Tensor<'float32'>,
  name: string,
  options: GenerateOptions,
  { row, skipped = 0, levels }: CompareOptions = {},
): Promise<RunFigures> {
  const steps: StepEvent[] = [];
  const { images } = await sd.generate({ ...options, onStep: (step) => void steps.push(step) });
  const sigmas = has(golden, `${name}.sigmas`)
    ? golden(`${name}.sigmas`).data
    : levels?.slice(1).map(({ alpha, sigma }) => sigma / alpha);
  let latents = 0;
  for (const [step, { latents: got }] of steps.slice(skipped).entries()) {
    const scale = sigmas === undefined ? 1 : Math.hypot(1, sigmas[step]);
    const want = golden(`${name}.latents.${step}`);
    expect(got.dims).toEqual(want.dims);
    latents = Math.max(
      latents,
      largestDifference(
        got.data.map((value) => value * scale),
        want.data,
      ),
    );
  }
  expect(has(golden, `${name}.latents.${steps.length - skipped}`), 'diffusers takes more steps').toBe(false);
  const image = golden(`${name}.image`);
  const figures = { latents, colours: largestDifference(rgbOf(images[0]), interleaved(image)) };
  if (row !== undefined) measured(row, figures);
  return figures;
}

function has(golden: (name: string) => Tensor<'float32'>, name: string): boolean {
  try {
    return golden(name) !== undefined;
  } catch {
    return false;
  }
}

/** The 8-bit colours, pixel by pixel, of an image [1, 3, h, w] with values of 0 to 1 or 0 to 255. */
function interleaved({ dims, data }: Tensor<'float32'>): number[] {
  const size = dims[2] * dims[3];
  const scale = data.every((value) => value <= 1) ? 255 : 1;
  return Array.from({ length: 3 * size }, (_, i) => Math.round(data[(i % 3) * size + Math.floor(i / 3)] * scale));
}
