import { InvalidOptionError, type NoiseLevel } from '@sd/core';
import type { Spacing } from '../create-scheduler.js';
import { cleanLevel } from '../level.js';
import { ddim, type LevelShift } from '../samplers/ddim.js';
import { ddpm } from '../samplers/ddpm.js';
import { lcm } from '../samplers/lcm.js';
import { pndm } from '../samplers/pndm.js';
import { tcd } from '../samplers/tcd.js';
import { discreteSchedule, type NoiseSchedule } from '../schedules/noise-schedule.js';
import { spacedTimesteps } from '../spacings/timesteps.js';
import { predictions, type Settings } from './schema.js';
import { alphasCumprodFrom, type ConfigParts, limited, limitFrom, type RunOptions } from './shared.js';

/** Schedulers that diffusers runs on the whole timesteps of training, with alpha and sigma themselves. */

export function ddimParts(settings: Settings, { step, images }: RunOptions): ConfigParts {
  const { schedule, final, ...parts } = gridParts(settings);
  const limit = limitFrom(settings, images);
  return {
    ...parts,
    name: 'DDIM',
    schedule,
    samplerFor: (steps) =>
      ddim({ eta: step.eta ?? 0, ...(limit && { limit }), shift: gridShift(schedule, final, steps) }),
  };
}

export function ddpmParts(settings: Settings, { images }: RunOptions): ConfigParts {
  const { final: _, ...parts } = gridParts({ ...settings, set_alpha_to_one: true });
  const variance = settings.variance_type === 'fixed_large' ? 'large' : 'small';
  return { ...parts, name: 'DDPM', samplerFor: () => limited(ddpm({ variance }), limitFrom(settings, images)) };
}

export function pndmParts(settings: Settings): ConfigParts {
  const { schedule, final, spacing, ...parts } = gridParts(settings);
  const repeated = settings.skip_prk_steps;
  return {
    ...parts,
    name: 'PNDM',
    schedule,
    spacing: (table, steps) => {
      const levels = spacing(table, steps);
      return repeated && steps > 1 ? [levels[0]!, levels[1]!, ...levels.slice(1)] : levels;
    },
    samplerFor: (steps) =>
      pndm({
        rungeKutta: !repeated,
        repeated,
        average: predictions[settings.prediction_type],
        shift: gridShift(schedule, final, steps),
      }),
  };
}

export function lcmParts(settings: Settings, { images }: RunOptions): ConfigParts {
  const { final: _, ...parts } = gridParts(settings);
  const boundary = ({ timestep }: NoiseLevel) => {
    const scaled = timestep * settings.timestep_scaling;
    const square = scaled ** 2 + 0.25;
    return { skip: 0.25 / square, out: scaled / Math.sqrt(square) };
  };
  return {
    ...parts,
    name: 'LCM',
    spacing: distilledSpacing(settings, cleanLevel),
    samplerFor: () => limited(lcm({ boundary }), limitFrom(settings, images)),
  };
}

export function tcdParts(settings: Settings, { step }: RunOptions): ConfigParts {
  const { schedule, final: _, ...parts } = gridParts(settings);
  const below = (to: NoiseLevel, eta: number) => schedule.level(Math.floor((1 - eta) * to.timestep));
  return {
    ...parts,
    name: 'TCD',
    schedule,
    spacing: distilledSpacing(settings, schedule.level(0)),
    samplerFor: () => tcd({ eta: step.eta ?? 0.3, below }),
  };
}

/** The last step ends at the picture itself, or at the level of timestep 0. */
function gridParts(settings: Settings): {
  schedule: NoiseSchedule;
  final: NoiseLevel;
  spacing: Spacing;
  initialSigma: number;
} {
  const schedule = discreteSchedule(alphasCumprodFrom(settings));
  const final = settings.set_alpha_to_one ? cleanLevel : schedule.level(0);
  const spacing: Spacing = ({ trainTimesteps, level }, steps) => {
    const timesteps = spacedTimesteps(settings.timestep_spacing, trainTimesteps, steps, settings.steps_offset);
    return [...timesteps.map(level), final];
  };
  return { schedule, final, spacing, initialSigma: 1 };
}

/** Every so manieth of the timesteps that a consistency model was distilled on. */
function distilledSpacing({ original_inference_steps: original }: Settings, final: NoiseLevel): Spacing {
  return ({ trainTimesteps, level }, steps) => {
    if (steps > original) {
      throw new InvalidOptionError(
        'steps',
        `${steps} is more than the ${original} steps that the model was distilled on.`,
      );
    }
    const stride = Math.floor(trainTimesteps / original);
    const timestep = (i: number) => (original - Math.floor((i * original) / steps)) * stride - 1;
    return [...Array.from({ length: steps }, (_, i) => level(timestep(i))), final];
  };
}

/** diffusers' idea of the neighbouring timestep: `trainTimesteps / steps` away, rounded down, wherever the next level is. */
function gridShift(schedule: NoiseSchedule, final: NoiseLevel, steps: number): LevelShift {
  const stride = Math.floor(schedule.trainTimesteps / steps);
  return (from, strides) => {
    const timestep = from.timestep + Math.trunc(strides * stride);
    return timestep < 0 ? final : schedule.level(timestep);
  };
}
