import { type Scheduler, UnsupportedError } from '@sd/core';
import { createScheduler } from '../create-scheduler.js';
import { ddimParts, pndmParts } from './grid.js';
import { nearest, predictions, readSettings, type SchedulerConfig, type Settings } from './schema.js';
import type { ConfigParts, StepOptions } from './shared.js';
import { eulerParts } from './sigma.js';

export interface FromConfigOptions {
  /** A class of diffusers to take in place of the config's own; the noise schedule and prediction stay the config's. */
  readonly class?: string;
  /** What diffusers would be given at each step. */
  readonly step?: StepOptions;
  /** How many pictures of equal size the sampled array holds: dynamic thresholding bounds each by itself. 1 if left out. */
  readonly images?: number;
}

interface SchedulerClass {
  readonly defaults: Partial<Settings>;
  readonly parts: (settings: Settings, step: StepOptions, images: number) => ConfigParts;
}

const classes: Record<string, SchedulerClass> = {
  DDIMScheduler: { defaults: {}, parts: ddimParts },
  PNDMScheduler: { defaults: { set_alpha_to_one: false }, parts: pndmParts },
  EulerDiscreteScheduler: { defaults: { timestep_spacing: 'linspace' }, parts: eulerParts },
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
  const { samplerFor, ...parts } = known.parts(settings, options.step ?? {}, options.images ?? 1);
  const prediction = predictions[settings.prediction_type];
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
