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
  interpolation_type: 'linear' | 'log_linear';
  timestep_type: 'discrete' | 'continuous';
  final_sigmas_type: 'zero' | 'sigma_min';
  use_karras_sigmas: boolean;
  use_exponential_sigmas: boolean;
  use_beta_sigmas: boolean;
  sigma_min?: number;
  sigma_max?: number;
}

/** diffusers' names of what a model predicts. */
export const predictions = {
  epsilon: 'epsilon',
  v_prediction: 'v',
  sample: 'sample',
  flow_prediction: 'flow',
} as const satisfies Record<string, Prediction>;

/** What each option may be: a type, or one of some names. */
const kinds: Record<keyof Settings, 'number' | 'boolean' | 'numbers' | readonly string[]> = {
  num_train_timesteps: 'number',
  beta_start: 'number',
  beta_end: 'number',
  beta_schedule: ['linear', 'scaled_linear', 'squaredcos_cap_v2'],
  trained_betas: 'numbers',
  rescale_betas_zero_snr: 'boolean',
  prediction_type: Object.keys(predictions),
  timestep_spacing: ['leading', 'trailing', 'linspace'],
  steps_offset: 'number',
  set_alpha_to_one: 'boolean',
  clip_sample: 'boolean',
  clip_sample_range: 'number',
  thresholding: 'boolean',
  dynamic_thresholding_ratio: 'number',
  sample_max_value: 'number',
  skip_prk_steps: 'boolean',
  interpolation_type: ['linear', 'log_linear'],
  timestep_type: ['discrete', 'continuous'],
  final_sigmas_type: ['zero', 'sigma_min'],
  use_karras_sigmas: 'boolean',
  use_exponential_sigmas: 'boolean',
  use_beta_sigmas: 'boolean',
  sigma_min: 'number',
  sigma_max: 'number',
};

const defaults: Settings = {
  num_train_timesteps: 1000,
  beta_start: 0.0001,
  beta_end: 0.02,
  beta_schedule: 'linear',
  rescale_betas_zero_snr: false,
  prediction_type: 'epsilon',
  timestep_spacing: 'leading',
  steps_offset: 0,
  set_alpha_to_one: true,
  clip_sample: true,
  clip_sample_range: 1,
  thresholding: false,
  dynamic_thresholding_ratio: 0.995,
  sample_max_value: 1,
  skip_prk_steps: false,
  interpolation_type: 'linear',
  timestep_type: 'discrete',
  final_sigmas_type: 'zero',
  use_karras_sigmas: false,
  use_exponential_sigmas: false,
  use_beta_sigmas: false,
};

/**
 * A config's values, over a class's own defaults. Options of other classes are checked and kept, as diffusers keeps
 * them; null counts as missing; names that begin with `_` are skipped. Throws an InvalidOptionError that names an
 * unknown option or value and the nearest known.
 */
export function readSettings(config: SchedulerConfig, classDefaults: Partial<Settings>): Settings {
  const given = Object.entries(config).filter(([name, value]) => !name.startsWith('_') && value != null);
  for (const [name, value] of given) checkOption(name, value);
  return { ...defaults, ...classDefaults, ...Object.fromEntries(given) };
}

function checkOption(name: string, value: unknown): void {
  const kind = Object.hasOwn(kinds, name) ? kinds[name as keyof Settings] : undefined;
  if (kind === undefined) {
    throw new InvalidOptionError(
      name,
      `no scheduler has this option. The nearest known is ${nearest(name, Object.keys(kinds))}.`,
    );
  }
  if (typeof kind === 'object') {
    if (kind.includes(value as string)) return;
    const hint = typeof value === 'string' ? ` The nearest known is '${nearest(value, kind)}'.` : '';
    throw new InvalidOptionError(name, `must be one of '${kind.join("', '")}', not ${JSON.stringify(value)}.${hint}`);
  }
  const fits =
    kind === 'numbers'
      ? Array.isArray(value) && value.length > 0 && value.every((entry) => Number.isFinite(entry))
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
