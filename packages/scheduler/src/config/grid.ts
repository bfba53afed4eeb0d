import type { NoiseLevel } from '@sd/core';
import type { Spacing } from '../create-scheduler.js';
import { ddim, type LevelShift } from '../samplers/ddim.js';
import { pndm } from '../samplers/pndm.js';
import { discreteSchedule, type NoiseSchedule } from '../schedules/noise-schedule.js';
import { spacedTimesteps } from '../spacings/timesteps.js';
import { predictions, type Settings } from './schema.js';
import { alphasCumprodFrom, type ConfigParts, limitFrom, type StepOptions } from './shared.js';

/** DDIM and PNDM as diffusers runs them: on the whole timesteps of training. */

export function ddimParts(settings: Settings, step: StepOptions, images: number): ConfigParts {
  const schedule = discreteSchedule(alphasCumprodFrom(settings));
  const final = finalLevel(settings, schedule);
  const limit = limitFrom(settings, images);
  return {
    name: 'DDIM',
    schedule,
    initialSigma: 1,
    spacing: gridSpacing(settings, final),
    samplerFor: (steps) =>
      ddim({
        ...(step.eta !== undefined && { eta: step.eta }),
        ...(limit && { limit }),
        shift: gridShift(schedule, final, steps),
      }),
  };
}

export function pndmParts(settings: Settings): ConfigParts {
  const schedule = discreteSchedule(alphasCumprodFrom(settings));
  const final = finalLevel(settings, schedule);
  const spacing = gridSpacing(settings, final);
  const repeated = settings.skip_prk_steps;
  return {
    name: 'PNDM',
    schedule,
    initialSigma: 1,
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

/** Where the last step ends: the picture itself, or the level of timestep 0. */
function finalLevel({ set_alpha_to_one }: Settings, schedule: NoiseSchedule): NoiseLevel {
  return set_alpha_to_one ? { alpha: 1, sigma: 0, timestep: 0 } : schedule.level(0);
}

function gridSpacing({ timestep_spacing, steps_offset }: Settings, final: NoiseLevel): Spacing {
  return (schedule, steps) => {
    const timesteps = spacedTimesteps(timestep_spacing, schedule.trainTimesteps, steps, steps_offset);
    return [...timesteps.map(schedule.level), final];
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
