import { InvalidOptionError, type Prediction, show } from '@sd/core';
import type { TimestepSpacing } from '../spacings/timesteps.js';

/** A `scheduler_config.json`, with diffusers' names. Missing keys take the class's defaults. */
export interface SchedulerConfig {
  readonly _class_name?: string;
  readonly [option: string]: unknown;
}

/** A config after validation, with defaults filled in. */
export interface Settings {
  num_train_timesteps: number;
  beta_start: number;
  beta_end: number;
  beta_schedule: 'linear' | 'scaled_linear' | 'squaredcos_cap_v2';
  trained_betas?: readonly number[];
  rescale_betas_zero_snr: boolean;
  prediction_type: keyof typeof predictions;
  timestep_spacing: TimestepSpacing;
  steps_offset: number;
  set_alpha_to_one: boolean;
  clip_sample: boolean;
  clip_sample_range: number;
  thresholding: boolean;
  dynamic_thresholding_ratio: number;
  sample_max_value: number;
  skip_prk_steps: boolean;
  variance_type: 'fixed_small' | 'fixed_small_log' | 'fixed_large';
  interpolation_type: 'linear' | 'log_linear';
  timestep_type: 'discrete' | 'continuous';
  final_sigmas_type: 'zero' | 'sigma_min';
  use_karras_sigmas: boolean;
  use_exponential_sigmas: boolean;
  use_beta_sigmas: boolean;
  use_lu_lambdas: boolean;
  use_flow_sigmas: boolean;
  flow_shift: number;
  sigma_min?: number;
  sigma_max?: number;
  sigma_data: number;
  sigma_schedule: 'karras' | 'exponential';
  rho: number;
  solver_order: number;
  solver_type: 'midpoint' | 'heun' | 'bh1' | 'bh2' | 'logrho';
  algorithm_type: (typeof algorithms)[number];
  lower_order_final: boolean;
  euler_at_final: boolean;
  lambda_min_clipped: number;
  predict_x0: boolean;
  disable_corrector?: readonly number[];
  predictor_order: number;
  corrector_order: number;
  original_inference_steps: number;
  timestep_scaling: number;
  shift: number;
  use_dynamic_shifting: boolean;
  time_shift_type: 'exponential' | 'linear';
  shift_terminal?: number;
  stochastic_sampling: boolean;
  invert_sigmas: boolean;
  base_shift?: number;
  max_shift?: number;
  base_image_seq_len?: number;
  max_image_seq_len?: number;
  noise_sampler_seed?: number;
}

const algorithms = [
  'dpmsolver++',
  'dpmsolver',
  'sde-dpmsolver',
  'sde-dpmsolver++',
  'deis',
  'data_prediction',
  'noise_prediction',
] as const;

/** Prediction types by diffusers' names. */
export const predictions = {
  epsilon: 'epsilon',
  v_prediction: 'v',
  sample: 'sample',
  flow_prediction: 'flow',
} as const satisfies Record<string, Prediction>;

/**
 * Each option's default. A list holds all allowed values, the default first; `Number` and `Array` mean that there is no
 * default.
 */
const options: { readonly [K in keyof Required<Settings>]: unknown } = {
  num_train_timesteps: 1000,
  beta_start: 0.0001,
  beta_end: 0.02,
  beta_schedule: ['linear', 'scaled_linear', 'squaredcos_cap_v2'],
  trained_betas: Array,
  rescale_betas_zero_snr: false,
  prediction_type: /* @__PURE__ */ Object.keys(predictions),
  timestep_spacing: ['leading', 'trailing', 'linspace'],
  steps_offset: 0,
  set_alpha_to_one: true,
  clip_sample: false,
  clip_sample_range: 1,
  thresholding: false,
  dynamic_thresholding_ratio: 0.995,
  sample_max_value: 1,
  skip_prk_steps: false,
  variance_type: ['fixed_small', 'fixed_small_log', 'fixed_large'],
  interpolation_type: ['linear', 'log_linear'],
  timestep_type: ['discrete', 'continuous'],
  final_sigmas_type: ['zero', 'sigma_min'],
  use_karras_sigmas: false,
  use_exponential_sigmas: false,
  use_beta_sigmas: false,
  use_lu_lambdas: false,
  use_flow_sigmas: false,
  flow_shift: 1,
  sigma_min: Number,
  sigma_max: Number,
  sigma_data: 0.5,
  sigma_schedule: ['karras', 'exponential'],
  rho: 7,
  solver_order: [2, 1, 3],
  solver_type: ['midpoint', 'heun', 'bh1', 'bh2', 'logrho'],
  algorithm_type: algorithms,
  lower_order_final: true,
  euler_at_final: false,
  lambda_min_clipped: -Infinity,
  predict_x0: true,
  disable_corrector: Array,
  predictor_order: 2,
  corrector_order: 2,
  original_inference_steps: 50,
  timestep_scaling: 10,
  shift: 1,
  use_dynamic_shifting: false,
  time_shift_type: ['exponential', 'linear'],
  shift_terminal: Number,
  stochastic_sampling: false,
  invert_sigmas: false,
  base_shift: Number,
  max_shift: Number,
  base_image_seq_len: Number,
  max_image_seq_len: Number,
  noise_sampler_seed: Number,
};

/** Bounds of whole numbers, some of which size a table. */
const wholeNumbers: Partial<Readonly<Record<keyof Settings, readonly [least: number, most: number]>>> = {
  num_train_timesteps: [1, 100_000],
  steps_offset: [0, 100_000],
  predictor_order: [1, 16],
  corrector_order: [1, 16],
  original_inference_steps: [1, 100_000],
};

/** Larger than any other number of a scheduler, except for a seed. */
const largest = 1e6;

/**
 * A config's values over the class's defaults, except for options that the class ignores. All options are checked, even
 * those of other classes, which configs often contain. Null counts as missing, and names with a leading `_` are skipped.
 * Throws an InvalidOptionError that names an unknown option or value and the nearest known one.
 */
export function readSettings(
  config: SchedulerConfig,
  defaults: Partial<Settings>,
  ignores: readonly string[],
): Settings {
  const given = Object.entries(config).filter(([name, value]) => !name.startsWith('_') && value != null);
  for (const [name, value] of given) checkOption(name, value);
  const fallbacks = Object.entries(options).map(([name, fallback]) => {
    return [name, Array.isArray(fallback) ? fallback[0] : typeof fallback === 'function' ? undefined : fallback];
  });
  const used = given.filter(([name]) => !ignores.includes(name));
  return { ...Object.fromEntries(fallbacks), ...defaults, ...Object.fromEntries(used) };
}

/** Whether any class has an option of this name. */
export function isOption(name: string): boolean {
  return Object.hasOwn(options, name);
}

function checkOption(name: string, value: unknown): void {
  if (!isOption(name)) {
    const known = nearest(name, Object.keys(options));
    throw new InvalidOptionError(name, `no scheduler has this option. The nearest is ${known}.`);
  }
  const kind = options[name as keyof Settings];
  let expected: string | undefined;
  if (Array.isArray(kind)) {
    if (!kind.includes(value)) expected = `one of ${kind.join(', ')}`;
  } else if (kind === Array) {
    const isList = Array.isArray(value) && value.length <= 100_000 && value.every(Number.isFinite);
    if (!isList || (name === 'trained_betas' && value.length === 0)) expected = 'a list of numbers';
  } else {
    const type = kind === Number ? 'number' : typeof kind;
    if (typeof value !== type || Number.isNaN(value)) expected = `a ${type}`;
    else if (typeof value === 'number') expected = expectedNumber(name as keyof Settings, value);
  }
  if (expected !== undefined) throw new InvalidOptionError(name, `must be ${expected}, not ${show(value)}.`);
}

/** What a number should be; undefined if it is within its bounds. */
function expectedNumber(name: keyof Settings, value: number): string | undefined {
  const [least, most] = wholeNumbers[name] ?? [];
  if (least !== undefined && most !== undefined) {
    const fits = Number.isSafeInteger(value) && value >= least && value <= most;
    return fits ? undefined : `a whole number from ${least} to ${most}`;
  }
  const isFree = name === 'noise_sampler_seed' || value === -Infinity;
  return isFree || Math.abs(value) <= largest ? undefined : `a number of at most ${largest}`;
}

/** The known name that shares the most letter pairs with an unknown one. */
export function nearest(name: string, known: readonly string[]): string {
  const pairs = Array.from(name.toLowerCase(), (_, i) => name.toLowerCase().slice(i, i + 2));
  const similarity = (candidate: string) =>
    pairs.filter((pair) => candidate.toLowerCase().includes(pair)).length -
    Math.abs(candidate.length - name.length) / 2;
  return known.reduce((best, candidate) => (similarity(candidate) > similarity(best) ? candidate : best));
}
