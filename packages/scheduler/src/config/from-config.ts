import { type Scheduler, UnsupportedError } from '@sd/core';
import { createScheduler } from '../create-scheduler.js';
import { deisParts, dpmMultistepParts, dpmSinglestepParts, saSolverParts, uniPcParts } from './dpm.js';
import { edmDpmParts, edmEulerParts, flowEulerParts, flowHeunParts, ipndmParts } from './flow.js';
import { ddimParts, ddpmParts, lcmParts, pndmParts, tcdParts } from './grid.js';
import { nearest, predictions, readSettings, type SchedulerConfig, type Settings } from './schema.js';
import type { ConfigParts, RunOptions, StepOptions } from './shared.js';
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
  /** A class of diffusers to take in place of the config's own; the noise schedule and prediction stay the config's. */
  readonly class?: string;
  /** What diffusers would be given at each step. */
  readonly step?: StepOptions;
  /** How many pictures of equal size the sampled array holds: dynamic thresholding bounds each by itself. 1 if left out. */
  readonly images?: number;
  /** How far a flow's levels are shifted, where the config has `use_dynamic_shifting`: diffusers' `mu`. */
  readonly mu?: number;
}

interface SchedulerClass {
  readonly defaults: Partial<Settings>;
  readonly parts: (settings: Settings, options: RunOptions) => ConfigParts;
}

const linspaced = { timestep_spacing: 'linspace' } as const;
const latentBetas = { beta_start: 0.00085, beta_end: 0.012 } as const;
const distilled = { ...latentBetas, beta_schedule: 'scaled_linear' } as const;
const flow = { prediction_type: 'flow_prediction' } as const;

const classes: Record<string, SchedulerClass> = {
  DDIMScheduler: { defaults: { clip_sample: true }, parts: ddimParts },
  DDPMScheduler: { defaults: { clip_sample: true }, parts: ddpmParts },
  PNDMScheduler: { defaults: { set_alpha_to_one: false }, parts: pndmParts },
  LMSDiscreteScheduler: { defaults: linspaced, parts: lmsParts },
  EulerDiscreteScheduler: { defaults: linspaced, parts: eulerParts },
  EulerAncestralDiscreteScheduler: { defaults: linspaced, parts: eulerAncestralParts },
  HeunDiscreteScheduler: { defaults: { ...linspaced, ...latentBetas }, parts: heunParts },
  KDPM2DiscreteScheduler: { defaults: { ...linspaced, ...latentBetas }, parts: dpm2Parts },
  KDPM2AncestralDiscreteScheduler: { defaults: { ...linspaced, ...latentBetas }, parts: dpm2AncestralParts },
  DPMSolverSDEScheduler: { defaults: { ...linspaced, ...latentBetas }, parts: dpmSdeParts },
  DPMSolverMultistepScheduler: { defaults: linspaced, parts: dpmMultistepParts },
  DPMSolverSinglestepScheduler: { defaults: { lower_order_final: false }, parts: dpmSinglestepParts },
  UniPCMultistepScheduler: { defaults: linspaced, parts: uniPcParts },
  DEISMultistepScheduler: { defaults: linspaced, parts: deisParts },
  SASolverScheduler: { defaults: linspaced, parts: saSolverParts },
  LCMScheduler: { defaults: distilled, parts: lcmParts },
  TCDScheduler: { defaults: distilled, parts: tcdParts },
  IPNDMScheduler: { defaults: { prediction_type: 'v_prediction' }, parts: ipndmParts },
  EDMEulerScheduler: { defaults: {}, parts: edmEulerParts },
  EDMDPMSolverMultistepScheduler: { defaults: {}, parts: edmDpmParts },
  FlowMatchEulerDiscreteScheduler: { defaults: flow, parts: flowEulerParts },
  FlowMatchHeunDiscreteScheduler: { defaults: flow, parts: flowHeunParts },
};

/** The scheduler classes of diffusers that `schedulerFromConfig` knows. */
export const schedulerClasses: readonly string[] = Object.keys(classes);

/**
 * The scheduler that a `scheduler_config.json` of diffusers describes: its noise schedule in float32 as diffusers
 * computes it, its spacing and its steps, with the class's own defaults for missing keys. Throws an UnsupportedError for
 * an unknown class and an InvalidOptionError for an unknown option or value, both with the nearest known name.
 */
export function schedulerFromConfig(config: SchedulerConfig, options: FromConfigOptions = {}): Scheduler {
  const name = options.class ?? config._class_name;
  if (name === undefined)
    throw new UnsupportedError('The scheduler config has no _class_name: give one, or the option `class`.');
  const known = Object.hasOwn(classes, name) ? classes[name] : undefined;
  if (known === undefined) {
    throw new UnsupportedError(
      `There is no scheduler ${name}. The nearest known is ${nearest(name, schedulerClasses)}.`,
    );
  }
  const settings = readSettings(config, known.defaults);
  const {
    samplerFor,
    prediction = predictions[settings.prediction_type],
    ...parts
  } = known.parts(settings, {
    step: options.step ?? {},
    images: options.images ?? 1,
    ...(options.mu !== undefined && { mu: options.mu }),
  });
  return {
    prediction,
    ...(parts.name !== undefined && { name: parts.name }),
    plan: (steps) => createScheduler({ ...parts, prediction, sampler: samplerFor(steps) }).plan(steps),
  };
}

/**
 * A config as diffusers' Stable Diffusion pipelines use it: whatever the file says, `steps_offset` is 1 and
 * `clip_sample` false.
 */
export function stableDiffusionConfig(config: SchedulerConfig): SchedulerConfig {
  return { ...config, steps_offset: 1, clip_sample: false };
}

/** Reads a `scheduler_config.json`, in which Python writes `-Infinity` where JSON has no such number. */
export function parseSchedulerConfig(json: string): SchedulerConfig {
  return JSON.parse(json.replace(/([:[,]\s*-?)Infinity\b/g, '$11e999'));
}
