import { InvalidOptionError, type Prediction } from '@sd/core';
import type { TimestepSpacing } from '../spacings/timesteps.js';

/** A `scheduler_config.json` of diffusers, with diffusers' own names. Missing keys take the class's defaults. */
export interface SchedulerConfig {
  readonly _class_name?: string;
  readonly [option: string]: unknown;
}

/** What a config's values are once they have been checked and filled up. */
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
  solver_order: 1 | 2 | 3;
  solver_type: 'midpoint' | 'heun' | 'bh1' | 'bh2' | 'logrho';
  algorithm_type: (typeof algorithms)[number];
  lower_order_final: boolean;
  euler_at_final: boolean;
  lambda_min_clipped: number;
  predict_x0: boolean;
  disable_corrector: readonly number[];
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
  base_shift: number;
  max_shift: number;
  base_image_seq_len: number;
  max_image_seq_len: number;
  noise_sampler_seed?: number;
}

const algorithms = [
  'dpmsolver',
  'dpmsolver++',
  'sde-dpmsolver',
  'sde-dpmsolver++',
  'deis',
  'data_prediction',
  'noise_prediction',
] as const;

/** diffusers' names of what a model predicts. */
export const predictions = {
  epsilon: 'epsilon',
  v_prediction: 'v',
  sample: 'sample',
  flow_prediction: 'flow',
} as const satisfies Record<string, Prediction>;

/** What each option may be, and what it is by default: a type or a list of names, and a value. */
const options: { readonly [K in keyof Required<Settings>]: readonly [kind: Kind, fallback?: Settings[K]] } = {
  num_train_timesteps: ['number', 1000],
  beta_start: ['number', 0.0001],
  beta_end: ['number', 0.02],
  beta_schedule: [['linear', 'scaled_linear', 'squaredcos_cap_v2'], 'linear'],
  trained_betas: ['numbers'],
  rescale_betas_zero_snr: ['boolean', false],
  prediction_type: [Object.keys(predictions), 'epsilon'],
  timestep_spacing: [['leading', 'trailing', 'linspace'], 'leading'],
  steps_offset: ['number', 0],
  set_alpha_to_one: ['boolean', true],
  clip_sample: ['boolean', false],
  clip_sample_range: ['number', 1],
  thresholding: ['boolean', false],
  dynamic_thresholding_ratio: ['number', 0.995],
  sample_max_value: ['number', 1],
  skip_prk_steps: ['boolean', false],
  variance_type: [['fixed_small', 'fixed_small_log', 'fixed_large'], 'fixed_small'],
  interpolation_type: [['linear', 'log_linear'], 'linear'],
  timestep_type: [['discrete', 'continuous'], 'discrete'],
  final_sigmas_type: [['zero', 'sigma_min'], 'zero'],
  use_karras_sigmas: ['boolean', false],
  use_exponential_sigmas: ['boolean', false],
  use_beta_sigmas: ['boolean', false],
  use_lu_lambdas: ['boolean', false],
  use_flow_sigmas: ['boolean', false],
  flow_shift: ['number', 1],
  sigma_min: ['number'],
  sigma_max: ['number'],
  sigma_data: ['number', 0.5],
  sigma_schedule: [['karras', 'exponential'], 'karras'],
  rho: ['number', 7],
  solver_order: [[1, 2, 3], 2],
  solver_type: [['midpoint', 'heun', 'bh1', 'bh2', 'logrho'], 'midpoint'],
  algorithm_type: [algorithms, 'dpmsolver++'],
  lower_order_final: ['boolean', true],
  euler_at_final: ['boolean', false],
  lambda_min_clipped: ['number', -Infinity],
  predict_x0: ['boolean', true],
  disable_corrector: ['numbers', []],
  predictor_order: ['number', 2],
  corrector_order: ['number', 2],
  original_inference_steps: ['number', 50],
  timestep_scaling: ['number', 10],
  shift: ['number', 1],
  use_dynamic_shifting: ['boolean', false],
  time_shift_type: [['exponential', 'linear'], 'exponential'],
  shift_terminal: ['number'],
  stochastic_sampling: ['boolean', false],
  invert_sigmas: ['boolean', false],
  base_shift: ['number', 0.5],
  max_shift: ['number', 1.15],
  base_image_seq_len: ['number', 256],
  max_image_seq_len: ['number', 4096],
  noise_sampler_seed: ['number'],
};

type Kind = 'number' | 'boolean' | 'numbers' | readonly (string | number)[];

/**
 * A config's values, over a class's own defaults. Options of other classes are checked and kept, as diffusers keeps
 * them; null counts as missing; names that begin with `_` are skipped. Throws an InvalidOptionError that names an
 * unknown option or value and the nearest known.
 */
export function readSettings(config: SchedulerConfig, classDefaults: Partial<Settings>): Settings {
  const fallbacks = Object.entries(options).map(([name, [, fallback]]) => [name, fallback]);
  const given = Object.entries(config).filter(([name, value]) => !name.startsWith('_') && value != null);
  for (const [name, value] of given) checkOption(name, value);
  return { ...Object.fromEntries(fallbacks), ...classDefaults, ...Object.fromEntries(given) };
}

function checkOption(name: string, value: unknown): void {
  if (!Object.hasOwn(options, name)) {
    const known = nearest(name, Object.keys(options));
    throw new InvalidOptionError(name, `no scheduler has this option. The nearest known is ${known}.`);
  }
  const [kind] = options[name as keyof Settings];
  if (typeof kind === 'object') {
    if (kind.includes(value as string | number)) return;
    const names = kind.filter((entry) => typeof entry === 'string');
    const hint =
      typeof value === 'string' && names.length > 0 ? ` The nearest known is '${nearest(value, names)}'.` : '';
    throw new InvalidOptionError(name, `must be one of ${kind.join(', ')}, not ${JSON.stringify(value)}.${hint}`);
  }
  const fits =
    kind === 'numbers'
      ? Array.isArray(value) && value.every((entry) => Number.isFinite(entry))
      : typeof value === kind && !Number.isNaN(value);
  if (!fits) {
    const wanted = kind === 'numbers' ? 'a list of numbers' : `a ${kind}`;
    throw new InvalidOptionError(name, `must be ${wanted}, not ${JSON.stringify(value)}.`);
  }
}

/** The name that takes the fewest changes of a letter. */
export function nearest(name: string, known: readonly string[]): string {
  const distances = known.map((candidate) => editDistance(name.toLowerCase(), candidate.toLowerCase()));
  return known[distances.indexOf(Math.min(...distances))]!;
}

/** Levenshtein's distance. */
function editDistance(a: string, b: string): number {
  let row = Array.from({ length: b.length + 1 }, (_, j) => j);
  for (let i = 0; i < a.length; i++) {
    const next = [i + 1];
    for (let j = 0; j < b.length; j++) {
      next.push(Math.min(next[j]! + 1, row[j + 1]! + 1, row[j]! + (a[i] === b[j] ? 0 : 1)));
    }
    row = next;
  }
  return row[b.length]!;
}
