import {
  type GuidedDenoiser,
  InvalidOptionError,
  type NoiseLevel,
  type Preconditioning,
  type Sampler,
  type Scheduler,
} from '@sd/core';
import { countsOf } from '../create-scheduler.js';
import { cleanLevel, type LevelAt, noiseRatio } from '../level.js';
import { euler } from '../samplers/euler.js';
import type { NoiseSchedule } from '../schedules/noise-schedule.js';
import { exponentialSigmas, karrasSigmas } from '../spacings/sigmas.js';
import { dpmMultistep } from './dpm.js';
import type { SchedulerConfig, Settings } from './schema.js';
import { type ConfigParts, limited, limitFrom, type RunOptions } from './shared.js';
import { churnFrom } from './sigma.js';

/** The schedulers of diffusers for models with EDM's preconditioning: CosXL, Playground v2.5. */

export function edmEulerParts(settings: Settings, { step }: RunOptions): ConfigParts {
  return edmParts('Euler', settings, () => euler(churnFrom(step)));
}

export function edmDpmParts(settings: Settings, { images }: RunOptions): ConfigParts {
  const [name, make] = dpmMultistep(settings);
  return edmParts(name, settings, (steps) => limited(make(steps), limitFrom(settings, images)));
}

/** EDM (arXiv 2206.00364, table 1), with x scaled to the model's input and ending at the clean image. */
function edmParts(name: string, settings: Settings, sampler: ConfigParts['sampler']): ConfigParts {
  const { min, max } = rangeOf(settings);
  const level = levelsOf(settings);
  return {
    name: settings.sigma_schedule === 'karras' ? `${name} Karras` : `${name} Exponential`,
    prediction: 'v',
    preconditioning: preconditioningOf(settings),
    trainTimesteps: settings.num_train_timesteps,
    initialSigma: ([first]) => Math.hypot(max, 1) * first.alpha,
    sampler,
    levels: (steps) => {
      const levels = spread(settings, steps).map(level);
      return [...levels, settings.final_sigmas_type === 'zero' ? cleanLevel : level(min)];
    },
  };
}

/** In diffusers, `epsilon` and `v_prediction` are the two signs of the output. */
function preconditioningOf({ prediction_type: type, sigma_data: sigmaData }: Settings): Preconditioning {
  if (type === 'epsilon' || type === 'v_prediction') return { sigmaData, negative: type === 'epsilon' };
  throw new InvalidOptionError('prediction_type', `must be epsilon or v_prediction in EDM's schedulers, not ${type}.`);
}

function rangeOf({ sigma_min: min = 0.002, sigma_max: max = 80 }: Settings) {
  return { min, max };
}

function spread(settings: Settings, steps: number): number[] {
  const { min, max } = rangeOf(settings);
  const sigmas = settings.sigma_schedule === 'karras' ? karrasSigmas : exponentialSigmas;
  return sigmas(steps, min, max, settings.rho);
}

/** The level with a noise ratio; x has the scale of the model's input. */
function levelsOf({ sigma_data }: Settings): LevelAt {
  return (ratio) => {
    const alpha = 1 / Math.hypot(ratio, sigma_data);
    return { alpha, sigma: ratio * alpha, timestep: timestepAt(ratio) };
  };
}

/** The paper's c_noise. */
const timestepAt = (ratio: number) => 0.25 * Math.log(ratio);

export function isEdm({ _class_name: name }: SchedulerConfig): boolean {
  return name?.startsWith('EDM') === true;
}

/** EDM's noise schedule; `level` reads the class's sigmas as a table of training steps. */
export function edmSchedule(settings: Settings): NoiseSchedule {
  const sigmas = Float32Array.from(spread(settings, settings.num_train_timesteps).reverse());
  const levelAt = levelsOf(settings);
  return { trainTimesteps: sigmas.length, sigmas, level: (step) => levelAt(sigmas[Math.round(step)]), levelAt };
}

/** Classes whose samplers need the training steps of a discrete schedule. */
const discrete = /^(DDIM|DDPM|PNDM|LCM|TCD|IPNDM|Flow)/;

/**
 * The sampler of another class on the levels of an EDM model, at the timesteps that the model takes. Throws an
 * InvalidOptionError for a class that does not apply there.
 */
export function onEdmLevels(edm: Scheduler, name: string, other: ConfigParts): Scheduler {
  if (discrete.test(name)) {
    throw new InvalidOptionError(
      'scheduler',
      `${name} does not work with this model, which was trained with EDM's noise levels: use euler, dpmpp-2m or another of the samplers that need no training steps.`,
    );
  }
  return {
    ...edm,
    name: other.name,
    plan(steps) {
      const plan = edm.plan(steps);
      const sampler = other.sampler(steps);
      return { ...plan, ...countsOf(sampler, plan.levels), sampler: withEdmTimesteps(sampler) };
    },
  };
}

/** Samplers that choose additional levels take their timesteps from a discrete schedule. */
function withEdmTimesteps(sampler: Sampler): Sampler {
  const retimed = (level: NoiseLevel): NoiseLevel => {
    const timestep = timestepAt(noiseRatio(level));
    return Math.abs(timestep - level.timestep) < 1e-9 ? level : { ...level, timestep };
  };
  return (denoise: GuidedDenoiser, ...rest) => {
    const { unconditional } = denoise;
    const wrapped: GuidedDenoiser = Object.assign(
      (x: Float32Array, level: NoiseLevel) => denoise(x, retimed(level)),
      unconditional && { unconditional: (x: Float32Array, level: NoiseLevel) => unconditional(x, retimed(level)) },
    );
    return sampler(wrapped, ...rest);
  };
}
