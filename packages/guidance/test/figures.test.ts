import { expect, test } from 'vitest';
import { relativeError } from '../../../fixtures/golden.js';
import {
  adaptiveProjectedGuidance,
  cfgPpGuidance,
  cfgZeroStar,
  classifierFreeGuidance,
  type Guidance,
  withRescale,
} from '../src/index.js';
import { figures, guided, positive, type Run, second } from './support.js';

const scale = 7.5;
const apg = { scale, eta: 0.25, normThreshold: 2.5, momentum: -0.5 };
const weighted = [
  { embedding: positive, weight: 0.7 },
  { embedding: second, weight: -0.4 },
];

test.each([
  ['cfg', classifierFreeGuidance({ scale })],
  ['cfg', classifierFreeGuidance({ scale: () => scale })],
  ['cfg', cfgPpGuidance({ lambda: scale })],
  ['cfg', adaptiveProjectedGuidance({ scale, eta: 1 })],
  ['cfg rescaled', classifierFreeGuidance({ scale, rescale: 0.7 })],
  ['composed', classifierFreeGuidance({ scale: 5 }), { prompts: weighted }],
  ['zero star', cfgZeroStar({ scale })],
  ['zero star, zero-init', cfgZeroStar({ scale, zeroInitSteps: 1 })],
  ['zero star rescaled', withRescale(cfgZeroStar({ scale }), 0.7)],
  ['apg diffusers', adaptiveProjectedGuidance({ ...apg, form: 'diffusers' })],
  ['apg diffusers, defaults', adaptiveProjectedGuidance({ scale, eta: 1, normThreshold: 15, form: 'diffusers' })],
  ...(['epsilon', 'v', 'sample'] as const).map(
    (prediction) => [`apg paper, ${prediction}`, adaptiveProjectedGuidance(apg), { prediction }] as const,
  ),
] as [string, Guidance, Run?][])('%s', async (name, guidance, run) => {
  const { outputs } = await guided(guidance, run);
  for (const [i, want] of figures.outputs[name].entries()) {
    if (want.every((value) => value === 0)) expect(outputs[i]).toEqual(want);
    else expect(relativeError(outputs[i], want)).toBeLessThan(2e-6);
  }
});

test('the weight of a single prompt multiplies the scale', async () => {
  const half = { prompts: [{ embedding: positive, weight: 0.5 }] };
  const { outputs } = await guided(classifierFreeGuidance({ scale: 15 }), half);
  for (const [i, want] of figures.outputs.cfg.entries()) expect(relativeError(outputs[i], want)).toBeLessThan(1e-6);
});

test('CFG++ interpolates from 0 to 1, where classifier-free guidance gives the positive output', async () => {
  const { outputs, calls } = await guided(cfgPpGuidance({ lambda: 0 }));
  expect(outputs).toEqual(figures.negative);
  expect(calls).toEqual(Array(3).fill(['negative,positive']));
  expect((await guided(classifierFreeGuidance({ scale: 0 }))).outputs).toEqual(figures.positive);
});
