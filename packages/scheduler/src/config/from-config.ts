import { barrier, InvalidOptionError, messageOf, type Scheduler, show, UnsupportedError } from '@sd/core';
import { checkSteps, planOf } from '../create-scheduler.js';
import { flowSchedule } from '../schedules/flow-schedule.js';
import { discreteSchedule, type NoiseSchedule } from '../schedules/noise-schedule.js';
import { deisParts, dpmMultistepParts, dpmSinglestepParts, saSolverParts, uniPcParts } from './dpm.js';
import { edmDpmParts, edmEulerParts, edmSchedule, isEdm, onEdmLevels } from './edm.js';
import { flowEulerParts, flowHeunParts, ipndmParts } from './flow.js';
import { ddimParts, ddpmParts, lcmParts, pndmParts, tcdParts } from './grid.js';
import { nearest, predictions, readSettings, type SchedulerConfig, type Settings } from './schema.js';
import { alphasCumprodFrom, type ConfigParts, type RunOptions, type StepOptions } from './shared.js';
import {
  dpm2AncestralParts,
  dpm2Parts,
  dpmSdeParts,
  eulerAncestralParts,
  eulerParts,
  heunParts,
  lmsParts,
} from './sigma.js';

export interface FromConfigOptions {
  /** A class of diffusers to use instead of the config's; the noise schedule and prediction type stay the config's. */
  readonly class?: string;
  /** Arguments that diffusers' `step` would get. */
  readonly step?: StepOptions;
  /**
   * Exact timesteps for a run of as many steps, as diffusers' `set_timesteps(timesteps=...)`, from most noise to least: for
   * LCMScheduler and TCDScheduler. Other numbers of steps are spaced as usual.
   */
  readonly timesteps?: readonly number[];
  /** Number of images of equal size in the sampled array, 1 by default. Dynamic thresholding bounds each separately. */
  readonly images?: number;
  /** The shift of a flow's levels if the config has `use_dynamic_shifting`: diffusers' `mu`. */
  readonly mu?: number;
}

type SchedulerClass = readonly [
  parts: (settings: Settings, options: RunOptions) => ConfigParts,
  defaults?: Partial<Settings>,
  /** Options of other classes that diffusers ignores for this one. */
  ignores?: readonly (keyof Settings)[],
];

/** A function, so that bundlers can drop it from apps that choose their own sampler. */
function classTable(): Record<string, SchedulerClass> {
  const linspaced = { timestep_spacing: 'linspace' } as const;
  const latent = { ...linspaced, beta_start: 0.00085, beta_end: 0.012 } as const;
  const distilled = { beta_start: 0.00085, beta_end: 0.012, beta_schedule: 'scaled_linear' } as const;
  const clipped = { clip_sample: true };
  const toSigmaMin = { ...linspaced, final_sigmas_type: 'sigma_min' } as const;

  const range = ['sigma_min', 'sigma_max'] as const;
  const sigmas = [
    ...range,
    'use_lu_lambdas',
    'interpolation_type',
    'timestep_type',
    'final_sigmas_type',
    'thresholding',
  ] as const;
  const ks = [...sigmas, 'rescale_betas_zero_snr'] as const;
  const respaced = ['use_karras_sigmas', 'use_exponential_sigmas', 'use_beta_sigmas'] as const;
  const dpm = ['clip_sample', 'use_lu_lambdas', 'rescale_betas_zero_snr', ...range] as const;

  return {
    DDIMScheduler: [ddimParts, clipped],
    DDPMScheduler: [ddpmParts, clipped, ['set_alpha_to_one']],
    PNDMScheduler: [pndmParts, { set_alpha_to_one: false }, ['rescale_betas_zero_snr']],
    LMSDiscreteScheduler: [lmsParts, linspaced, ks],
    EulerDiscreteScheduler: [eulerParts, linspaced, ['use_lu_lambdas']],
    EulerAncestralDiscreteScheduler: [eulerAncestralParts, linspaced, [...sigmas, ...respaced]],
    HeunDiscreteScheduler: [heunParts, latent, ks],
    KDPM2DiscreteScheduler: [dpm2Parts, latent, ks],
    KDPM2AncestralDiscreteScheduler: [dpm2AncestralParts, latent, ks],
    DPMSolverSDEScheduler: [dpmSdeParts, latent, ks],
    DPMSolverMultistepScheduler: [dpmMultistepParts, linspaced, ['clip_sample', ...range]],
    DPMSolverSinglestepScheduler: [
      dpmSinglestepParts,
      { ...linspaced, lower_order_final: false },
      [...dpm, 'timestep_spacing'],
    ],
    UniPCMultistepScheduler: [uniPcParts, linspaced, ['clip_sample', 'use_lu_lambdas', 'lambda_min_clipped']],
    DEISMultistepScheduler: [deisParts, toSigmaMin, [...dpm, 'final_sigmas_type', 'lambda_min_clipped']],
    SASolverScheduler: [saSolverParts, toSigmaMin, [...dpm, 'final_sigmas_type']],
    LCMScheduler: [lcmParts, distilled],
    TCDScheduler: [tcdParts, distilled],
    IPNDMScheduler: [ipndmParts],
    EDMEulerScheduler: [edmEulerParts],
    EDMDPMSolverMultistepScheduler: [edmDpmParts],
    FlowMatchEulerDiscreteScheduler: [flowEulerParts, {}, ['use_lu_lambdas']],
    FlowMatchHeunDiscreteScheduler: [
      flowHeunParts,
      {},
      ['use_lu_lambdas', ...respaced, 'use_dynamic_shifting', 'shift_terminal'],
    ],
  };
}

const classes = /* @__PURE__ */ classTable();

/** The scheduler classes of diffusers that `schedulerFromConfig` supports. */
export const schedulerClasses: readonly string[] = /* @__PURE__ */ Object.keys(classes);

/**
 * Creates the scheduler that a `scheduler_config.json` of diffusers describes: its noise schedule (in float32, as in
 * diffusers), spacing and sampler, with the class's defaults for missing keys. Throws an UnsupportedError for an unknown
 * class and an InvalidOptionError for an unknown option or value, both with the nearest known name.
 */
export function schedulerFromConfig(config: SchedulerConfig, options?: FromConfigOptions): Scheduler {
  return barrier('schedulerFromConfig()', () => fromConfig(config, options));
}

function fromConfig(config: SchedulerConfig, options: FromConfigOptions = {}): Scheduler {
  if (typeof config !== 'object' || config === null || Array.isArray(config)) {
    throw new InvalidOptionError('config', `must be an object, not ${show(config)}.`);
  }
  checkClassNames(options.class, config._class_name);
  const name = options.class ?? config._class_name;
  if (name === undefined) throw new UnsupportedError('The config has no _class_name: set the option `class`.');
  const known = Object.hasOwn(classes, name) ? classes[name] : undefined;
  if (known === undefined) {
    throw new UnsupportedError(`There is no scheduler ${name}. The nearest is ${nearest(name, schedulerClasses)}.`);
  }
  const [partsOf, defaults = {}, ignores = []] = known;
  const settings = readSettings(config, defaults, ignores);
  const { step = {}, images = 1, mu, timesteps } = options;
  const parts = partsOf(settings, { step, images, mu, timesteps: checkedTimesteps(timesteps, name, settings) });
  if (isEdm(config) && !isEdm({ _class_name: name })) return onEdmLevels(ofEdm(config), name, parts);
  return {
    name: parts.name,
    prediction: parts.prediction ?? predictions[settings.prediction_type],
    ...(parts.preconditioning && { preconditioning: parts.preconditioning }),
    trainTimesteps: settings.num_train_timesteps,
    plan(steps) {
      checkSteps(steps, parts.trainTimesteps);
      const levels = parts.levels(steps);
      return planOf(levels, parts.sampler(steps), parts.initialSigma?.(levels) ?? 1, parts.noise?.(levels));
    },
  };
}

function checkedTimesteps(
  timesteps: readonly number[] | undefined,
  name: string,
  { num_train_timesteps: count }: Settings,
): readonly number[] | undefined {
  if (timesteps === undefined) return undefined;
  if (name !== 'LCMScheduler' && name !== 'TCDScheduler') {
    throw new InvalidOptionError('timesteps', `are for LCMScheduler and TCDScheduler, not for ${name}.`);
  }
  const decrease = timesteps.every((t, i) => Number.isInteger(t) && t >= 0 && t < (timesteps[i - 1] ?? count));
  if (decrease && timesteps.length > 0) return timesteps;
  throw new InvalidOptionError('timesteps', `must be integers below ${count} that decrease, not [${timesteps}].`);
}

/** The config's EDM scheduler, with the spacing that was requested for the other class. */
function ofEdm({ use_karras_sigmas, ...config }: SchedulerConfig): Scheduler {
  return schedulerFromConfig(use_karras_sigmas === true ? { ...config, sigma_schedule: 'karras' } : config);
}

/** A file may have a value of any type here. */
function checkClassNames(...names: readonly unknown[]): void {
  const odd = names.find((name) => name !== undefined && typeof name !== 'string');
  if (odd !== undefined) throw new UnsupportedError(`A scheduler’s class must be a string, not ${show(odd)}.`);
}

/** Only the noise schedule that a config describes, to combine with another spacing and sampler. */
export function noiseScheduleFromConfig(config: SchedulerConfig): NoiseSchedule {
  checkClassNames(config._class_name);
  const settings = readSettings(config, {}, []);
  if (isEdm(config)) return edmSchedule(settings);
  if (!config._class_name?.startsWith('Flow')) return discreteSchedule(alphasCumprodFrom(settings));
  return flowSchedule({ trainTimesteps: settings.num_train_timesteps, shift: settings.shift });
}

/**
 * A config as corrected by diffusers' Stable Diffusion pipelines: whatever the file says, `steps_offset` is 1 and
 * `clip_sample` is false.
 */
export function stableDiffusionConfig(config: SchedulerConfig): SchedulerConfig {
  return { ...config, steps_offset: 1, clip_sample: false };
}

/**
 * Parses a `scheduler_config.json`, in which Python may have written `-Infinity`, which is not JSON. Throws an
 * InvalidOptionError for anything but a JSON object, or a class that is not a string.
 */
export function parseSchedulerConfig(json: string): SchedulerConfig {
  return barrier('parseSchedulerConfig()', () => parse(json));
}

function parse(json: string): SchedulerConfig {
  let config: unknown;
  try {
    config = JSON.parse(json.replace(/([:[,]\s*-?)Infinity\b/g, '$11e999'));
  } catch (cause) {
    throw new InvalidOptionError('config', `is not JSON: ${messageOf(cause)}.`);
  }
  if (typeof config !== 'object' || config === null || Array.isArray(config)) {
    throw new InvalidOptionError('config', `is not a JSON object, but ${show(config)}.`);
  }
  const { _class_name: name }: { readonly _class_name?: unknown } = config;
  if (name == null || typeof name === 'string') return config as SchedulerConfig;
  throw new InvalidOptionError('config', `has a _class_name that is not a string: ${show(name)}.`);
}
