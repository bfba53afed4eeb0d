import { readFileSync } from 'node:fs';
import { convertPrediction, torchCpu } from '@sd/core';
import { edmDenoised, type StepOptions, schedulerFromConfig } from '../../src/index.js';

export interface GoldenCase {
  name: string;
  cls: string;
  steps: number;
  config: Record<string, unknown>;
  step_kwargs: StepOptions;
  set_kwargs: { mu?: number };
  timesteps: number[];
  sigmas?: number[];
  init_noise_sigma: number;
  abs_mean_per_step: number[];
  final_sum_abs: number;
  final_first8: number[];
}

export const goldenCases: GoldenCase[] = JSON.parse(
  readFileSync(new URL('../data/schedulers.json', import.meta.url), 'utf8'),
).cases;

/** diffusers' dummy sample: arange(768).reshape(3, 8, 8, 4) / 768, permuted to (4, 3, 8, 8). */
export const dummySample = Float32Array.from({ length: 768 }, (_, i) => (4 * (i % 192) + Math.floor(i / 192)) / 768);

/** Classes that keep the sample as x / alpha. */
const ratioSpace = /^(Euler|LMS|Heun|KDPM2|DPMSolverSDE|EDM)/;

export interface GoldenRun {
  timesteps: number[];
  /** Mean of |x| at each yield, and the number of model calls before it. */
  means: { mean: number; calls: number }[];
  final: Float32Array;
}

/** Runs a golden case; returns its sample in diffusers' space. */
export async function runGolden(golden: GoldenCase): Promise<GoldenRun> {
  const scheduler = schedulerFromConfig(
    { _class_name: golden.cls, ...golden.config },
    { step: golden.step_kwargs, images: 4, ...golden.set_kwargs },
  );
  const plan = scheduler.plan(golden.steps);
  const { randn } = torchCpu(0);
  const { levels } = plan;
  const noise = plan.noise?.({ seed: 0, size: 768, random: torchCpu, levels }) ?? (() => randn(768));
  const timesteps: number[] = [];
  const means: GoldenRun['means'] = [];
  let final: Float32Array = dummySample;
  const run = plan.sampler(
    async (x, level) => {
      const t = level.timestep;
      timesteps.push(t);
      const output = x.map((value) => (value * t) / (t + 1));
      if (golden.cls.startsWith('EDM')) return edmDenoised(output, x, level, 'epsilon');
      return convertPrediction(output, scheduler.prediction, 'sample', x, level);
    },
    dummySample.map((value) => value * plan.initialSigma),
    levels,
    { noise },
  );
  for await (const { x, level } of run) {
    final = ratioSpace.test(golden.cls) ? x.map((value) => value / level.alpha) : x;
    means.push({ mean: sumAbs(final) / final.length, calls: timesteps.length });
  }
  return { timesteps, means, final };
}

export function sumAbs(values: Float32Array): number {
  return values.reduce((sum, value) => sum + Math.abs(value), 0);
}
