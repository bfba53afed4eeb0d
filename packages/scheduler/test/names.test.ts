import { describe, expect, test } from 'vitest';
import { schedulerByName, schedulerNames } from '../src/index.js';

const config = { beta_schedule: 'scaled_linear', beta_start: 0.00085, beta_end: 0.012, steps_offset: 1 };

describe('short names of schedulers', () => {
  test.each([
    ['ddim', 'DDIM'],
    ['ddpm', 'DDPM'],
    ['pndm', 'PNDM'],
    ['lcm', 'LCM'],
    ['tcd', 'TCD'],
    ...[
      ['euler', 'Euler'],
      ['euler-ancestral', 'Euler a'],
      ['heun', 'Heun'],
      ['lms', 'LMS'],
      ['dpm2', 'DPM2'],
      ['dpm2-ancestral', 'DPM2 a'],
      ['dpmpp-2s', 'DPM++ 2S'],
      ['dpmpp-2s-ancestral', 'DPM++ 2S a'],
      ['dpmpp-2m', 'DPM++ 2M'],
      ['dpmpp-2m-sde', 'DPM++ 2M SDE'],
      ['dpmpp-3m', 'DPM++ 3M'],
      ['dpmpp-3m-sde', 'DPM++ 3M SDE'],
      ['dpmpp-2m-sde-brownian', 'DPM++ 2M SDE'],
      ['dpmpp-3m-sde-brownian', 'DPM++ 3M SDE'],
      ['dpmpp-sde', 'DPM++ SDE'],
      ['unipc', 'UniPC'],
      ['deis', 'DEIS'],
      ['sa-solver', 'SA-Solver'],
      ['ipndm', 'iPNDM'],
      ['res-multistep', 'RES multistep'],
      ['restart', 'Restart'],
      ['euler-cfg-pp', 'Euler CFG++'],
      ['dpmpp-2m-cfg-pp', 'DPM++ 2M CFG++'],
    ].flatMap(([name, title]) => [
      [name, title],
      [`${name}-karras`, `${title} Karras`],
    ]),
  ])('%s is %s', (name, title) => {
    expect(schedulerNames).toContain(name);
    const scheduler = schedulerByName(name, config)!;
    expect(scheduler.name).toBe(title);
    const { levels, stepCount } = scheduler.plan(12);
    expect(stepCount).toBeGreaterThanOrEqual(12);
    const ratios = levels.slice(0, 2).map(({ alpha, sigma }) => sigma / alpha);
    // Karras' second sigma is much lower than that of evenly spaced timesteps.
    if (name.endsWith('-karras')) expect(ratios[1] / ratios[0]).toBeLessThan(0.72);
  });

  test('are unique and complete', () => {
    expect(schedulerNames).toHaveLength(5 + 2 * 23);
    expect(new Set(schedulerNames).size).toBe(schedulerNames.length);
  });

  test('keep the prediction type of the config', () => {
    for (const name of ['restart', 'ipndm-karras', 'dpmpp-2m']) {
      expect(schedulerByName(name, { ...config, prediction_type: 'v_prediction' })!.prediction).toBe('v');
    }
  });

  test('say whose noise comes from a Brownian path', () => {
    const brownian = schedulerNames.filter((name) => schedulerByName(name, config)!.plan(4).noise !== undefined);
    expect(brownian).toEqual(schedulerNames.filter((name) => /^dpmpp-sde|-brownian/.test(name)));
  });

  test('do not include inherited properties', () => {
    expect(schedulerByName('toString', config)).toBeUndefined();
  });
});
