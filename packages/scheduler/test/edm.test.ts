import { readFileSync } from 'node:fs';
import { InvalidOptionError, type NoiseLevel, type Scheduler, torchCpu } from '@sd/core';
import { describe, expect, test } from 'vitest';
import { edmDenoised, type SchedulerConfig, schedulerByName, schedulerFromConfig } from '../src/index.js';

interface Case {
  readonly config: SchedulerConfig;
  /** By number of steps. */
  readonly grids: Readonly<
    Record<string, { readonly sigmas: readonly number[]; readonly timesteps: readonly number[] }>
  >;
  readonly runs: Readonly<Record<string, readonly number[]>>;
}

const cases: Record<string, Case> = JSON.parse(readFileSync(new URL('data/edm.json', import.meta.url), 'utf8'));

/** The run of data/make_edm.py, in diffusers' space. */
async function finish(scheduler: Scheduler, steps: number): Promise<Float32Array> {
  const { levels, initialSigma, sampler } = scheduler.plan(steps);
  const { sigmaData, negative } = scheduler.preconditioning!;
  const { randn } = torchCpu(0);
  const model = async (x: Float32Array, level: NoiseLevel) => {
    const { alpha, sigma, timestep } = level;
    const norm = Math.hypot(sigmaData * alpha, sigma);
    const scaled = x.map((value) => value / norm);
    const output = scaled.map((value) => 0.4 * Math.sin(3 * value) + 0.2 * timestep);
    const at = { alpha: alpha / norm, sigma: sigma / norm, timestep };
    return edmDenoised(output, scaled, at, negative ? 'epsilon' : 'v', sigmaData);
  };
  let last: Float32Array = Float32Array.from({ length: 16 }, (_, i) => (-1 + (2 * i) / 15) * initialSigma);
  let end = levels[0];
  for await (const { x, level } of sampler(model, last, levels, { noise: () => randn(16) })) [last, end] = [x, level];
  return last.map((value) => value / end.alpha);
}

/**
 * With one step, diffusers starts at the smallest sigma where they are exponential, and its Euler ends where it starts with
 * `sigma_min`: the image stays noise. Ours starts at the largest and ends at the smallest.
 */
const onceWrong = ['euler cosxl', 'dpm cosxl', 'euler to sigma_min'];

const relative = (got: number, want: number) => Math.abs(got - want) / Math.max(Math.abs(want), 1e-3);

describe.each(Object.entries(cases))('%s, as in diffusers', (name, { config, grids, runs }) => {
  const scheduler = schedulerFromConfig(config);
  const compared = <T>(by: Readonly<Record<string, T>>) =>
    Object.entries(by).filter(([steps]) => steps !== '1' || !onceWrong.includes(name));

  test.each(compared(grids))('levels of %s steps', (steps, { sigmas, timesteps }) => {
    const { levels } = scheduler.plan(Number(steps));
    const ratios = levels.map(({ sigma, alpha }) => sigma / alpha);
    expect(Math.max(...sigmas.map((sigma, i) => relative(ratios[i], sigma)))).toBeLessThan(2e-5);
    expect(Math.max(...timesteps.map((t, i) => Math.abs(levels[i].timestep - t)))).toBeLessThan(1e-5);
    expect(levels).toHaveLength(sigmas.length);
  });

  test.each(compared(runs))('a run of %s steps', async (steps, want) => {
    const got = await finish(scheduler, Number(steps));
    expect(Math.max(...want.map((value, i) => Math.abs(got[i] - value)))).toBeLessThan(2e-5);
  });
});

test.each(onceWrong)('one step of %s goes from the largest sigma to its end', (name) => {
  const { config } = cases[name];
  const [from, to] = schedulerFromConfig(config).plan(1).levels;
  expect(from.sigma / from.alpha).toBeCloseTo((config.sigma_max as number | undefined) ?? 80);
  expect(to.sigma / to.alpha).toBeCloseTo(config.final_sigmas_type === 'sigma_min' ? 0.002 : 0, 6);
});

describe('another sampler on the levels of an EDM model', () => {
  const config = cases.dpm.config;

  test('is the model’s own if it is the same', async () => {
    const [named, own] = ['dpmpp-2m', undefined].map((name) =>
      name === undefined ? schedulerFromConfig(config) : schedulerByName(name, config)!,
    );
    expect(await finish(named, 7)).toEqual(await finish(own, 7));
    const euler = schedulerFromConfig(cases.euler.config);
    expect(await finish(schedulerByName('euler', config)!, 7)).toEqual(await finish(euler, 7));
  });

  test.each([
    'heun',
    'dpm2',
    'dpm2-ancestral',
    'euler-ancestral',
    'lms',
    'dpmpp-sde',
    'dpmpp-2s',
    'dpmpp-2s-ancestral',
    'unipc',
    'deis',
    'sa-solver',
    'restart',
    'res-multistep',
    'dpmpp-2m-karras',
  ])('%s keeps to them: its estimates come from timesteps that the model knows', async (name) => {
    const scheduler = schedulerByName(name, cases['dpm cosxl'].config)!;
    const { levels, sampler, initialSigma } = scheduler.plan(12);
    const seen: NoiseLevel[] = [];
    const { randn } = torchCpu(0);
    const start = randn(16).map((value) => value * initialSigma);
    for await (const _ of sampler(
      async (x, level) => {
        seen.push(level);
        return x.map(() => 0.1);
      },
      start,
      levels,
      { noise: () => randn(16) },
    ));
    const expected = (level: NoiseLevel) => 0.25 * Math.log(level.sigma / level.alpha);
    expect(Math.max(...seen.map((level) => Math.abs(level.timestep - expected(level))))).toBeLessThan(1e-6);
    expect(seen[0].sigma / seen[0].alpha).toBeCloseTo(120);
  });

  test.each(['ddim', 'pndm', 'ddpm', 'lcm', 'tcd'])('%s is refused: it needs training steps', (name) => {
    expect(() => schedulerByName(name, config)).toThrow(InvalidOptionError);
  });

  test('predicts epsilon or v only', () => {
    expect(() => schedulerFromConfig({ ...config, prediction_type: 'sample' })).toThrow('prediction_type');
  });
});

describe('exact timesteps', () => {
  const config = { beta_start: 0.00085, beta_end: 0.012, beta_schedule: 'scaled_linear' } as const;
  const timesteps = [999, 749, 499, 249];

  test.each(['LCMScheduler', 'TCDScheduler'])('of %s are for as many steps', (name) => {
    const plan = (steps: number) =>
      schedulerFromConfig(config, { class: name, timesteps })
        .plan(steps)
        .levels.map(({ timestep }) => timestep);
    expect(plan(4)).toEqual([...timesteps, 0]);
    expect(plan(2)).toEqual([999, 499, 0]);
  });

  test('must decrease, and are of no use to other classes', () => {
    const make = (name: string, given: number[]) => () =>
      schedulerFromConfig(config, { class: name, timesteps: given });
    for (const given of [[], [1000], [5, 5], [10, 20], [1.5], [-1]]) {
      expect(make('LCMScheduler', given)).toThrow(InvalidOptionError);
    }
    expect(make('DDIMScheduler', timesteps)).toThrow('LCMScheduler and TCDScheduler');
  });
});
