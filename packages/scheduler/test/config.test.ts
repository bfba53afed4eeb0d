import { InvalidOptionError, UnsupportedError } from '@sd/core';
import { describe, expect, test } from 'vitest';
import { knownOptions, parseSchedulerConfig, schedulerFromConfig, stableDiffusionConfig } from '../src/index.js';

const sd15 = {
  _class_name: 'PNDMScheduler',
  beta_start: 0.00085,
  beta_end: 0.012,
  beta_schedule: 'scaled_linear',
  set_alpha_to_one: false,
  skip_prk_steps: true,
  steps_offset: 1,
  trained_betas: null,
};

describe('knownOptions', () => {
  test('leaves out the options that no class knows, and names them', () => {
    const config = { ...sd15, tensor_format: 'pt', an_option_of_tomorrow: false, _diffusers_version: '9.0.0' };
    expect(knownOptions(config)).toEqual({
      config: { ...sd15, _diffusers_version: '9.0.0' },
      unknown: ['tensor_format', 'an_option_of_tomorrow'],
    });
    expect(knownOptions(sd15)).toEqual({ config: sd15, unknown: [] });
  });

  test.each([
    [{ predict_epsilon: false }, 'sample'],
    [{ predict_epsilon: true }, 'epsilon'],
    [{ predict_epsilon: false, prediction_type: 'v_prediction' }, 'v'],
  ])('reads the old option of %j', (options, prediction) => {
    const { config, unknown } = knownOptions({ ...sd15, ...options });
    expect(unknown).toEqual(['predict_epsilon']);
    expect(schedulerFromConfig(config).prediction).toBe(prediction);
  });
});

describe('schedulerFromConfig', () => {
  test('plans the timesteps of Stable Diffusion 1.5', () => {
    const plan = schedulerFromConfig(sd15).plan(5);
    expect(plan.levels.map(({ timestep }) => timestep)).toEqual([801, 601, 601, 401, 201, 1, 0]);
    expect(plan.stepCount).toBe(6);
    expect(plan.initialSigma).toBe(1);
  });

  test('uses another class with the same noise schedule and that class’s defaults', () => {
    const scheduler = schedulerFromConfig(sd15, { class: 'EulerDiscreteScheduler' });
    expect(scheduler.name).toBe('Euler');
    const { levels, initialSigma } = scheduler.plan(3);
    expect(levels.map(({ timestep }) => timestep)).toEqual([999, 499.5, 0, 0]);
    expect(levels[0].sigma / levels[0].alpha).toBeCloseTo(14.6146, 4);
    expect(initialSigma).toBe(levels[0].sigma);
  });

  test.each([0, -1, 2.5, Number.NaN, Infinity, 1001])('rejects %d steps', (steps) => {
    const plan = () => schedulerFromConfig(sd15).plan(steps);
    expect(plan).toThrow(InvalidOptionError);
    expect(plan).toThrow(/^steps: /);
  });

  test('names an unknown class and the nearest known one', () => {
    const make = () => schedulerFromConfig({ ...sd15, _class_name: 'EulerDiscretScheduler' });
    expect(make).toThrow(UnsupportedError);
    expect(make).toThrow(/EulerDiscretScheduler.*EulerDiscreteScheduler/);
    expect(() => schedulerFromConfig({})).toThrow(/_class_name/);
    expect(() => schedulerFromConfig({ _class_name: 'toString' })).toThrow(UnsupportedError);
  });

  test('names an unknown option, an unknown value and a wrong type', () => {
    const make = (option: object) => () => schedulerFromConfig({ ...sd15, ...option });
    expect(make({ beta_strat: 1 })).toThrow(/^beta_strat: .*beta_start/);
    expect(make({ beta_schedule: 'scaled-linear' })).toThrow(
      /^beta_schedule: must be one of linear, scaled_linear, squaredcos_cap_v2, not "scaled-linear"/,
    );
    expect(make({ num_train_timesteps: '1000' })).toThrow(/^num_train_timesteps: must be a number/);
    expect(make({ trained_betas: [0.1, 'x'] })).toThrow(/^trained_betas: must be a list of numbers/);
    expect(make({ num_train_timesteps: 0 })).toThrow(/^num_train_timesteps: /);
  });

  test('skips what diffusers writes in addition to the options', () => {
    const config = { ...sd15, _diffusers_version: '0.6.0', _use_default_values: ['prediction_type'] };
    expect(schedulerFromConfig(config).prediction).toBe('epsilon');
  });
});

test('stableDiffusionConfig overrides two options', () => {
  const config = stableDiffusionConfig({ _class_name: 'DDIMScheduler', steps_offset: 0, clip_sample: true });
  expect(config).toMatchObject({ steps_offset: 1, clip_sample: false });
  expect(schedulerFromConfig(config).plan(4).levels[0].timestep).toBe(751);
});

test('parses Infinity in a config', () => {
  expect(parseSchedulerConfig('{"a": -Infinity, "b": [Infinity, 1], "c": "at -Infinity"}')).toEqual({
    a: -Infinity,
    b: [Infinity, 1],
    c: 'at -Infinity',
  });
});

test.each<[unknown, string]>([
  [null, 'config: must be an object, not null.'],
  [[1], 'config: must be an object, not [1].'],
  [{ _class_name: 5 }, 'A scheduler’s class must be a string, not 5.'],
  [{ _class_name: 'DDIMScheduler', num_train_timesteps: 1e10 }, 'num_train_timesteps: must be'],
  [{ _class_name: 'DDIMScheduler', prediction_type: [[]] }, 'prediction_type: must be one of'],
])('a config that is none is refused: %j', (config, message) => {
  expect(() => schedulerFromConfig(config as never).plan(4)).toThrow(message);
});

test.each(['', '[]', '5', '{'])('a text that is no config is refused: %j', (text) => {
  expect(() => parseSchedulerConfig(text)).toThrow(expect.objectContaining({ code: 'invalid-option' }));
});
