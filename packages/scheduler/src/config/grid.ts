import type { NoiseLevel } from '@sd/core';
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

/** Schedulers that diffusers runs on the integer timesteps of training, with alpha and sigma themselves. */

export function ddimParts(settings: Settings, { step, images }: RunOptions): ConfigParts {
  const { shift, ...grid } = gridOf(settings);
  const limit = limitFrom(settings, images);
  const eta = step.eta ?? 0;
  return { ...grid, name: 'DDIM', sampler: (steps) => ddim({ eta, limit, shift: shift(steps) }) };
}

export function ddpmParts(settings: Settings, { images }: RunOptions): ConfigParts {
  const sampler = ddpm({ variance: settings.variance_type === 'fixed_large' ? 'large' : 'small' });
  return { ...gridOf(settings), name: 'DDPM', sampler: () => limited(sampler, limitFrom(settings, images)) };
}

export function pndmParts(settings: Settings): ConfigParts {
  const { levels, shift, ...grid } = gridOf(settings);
  const repeated = settings.skip_prk_steps;
  const average = predictions[settings.prediction_type];
  return {
    ...grid,
    name: 'PNDM',
    levels: (steps) =>
      repeated && steps > 1 ? levels(steps).flatMap((level, i) => (i === 1 ? [level, level] : level)) : levels(steps),
    sampler: (steps) => pndm({ rungeKutta: !repeated, repeated, average, shift: shift(steps) }),
  };
}

export function lcmParts(settings: Settings, { images, timesteps }: RunOptions): ConfigParts {
  const { schedule } = gridOf(settings);
  const boundary = ({ timestep }: NoiseLevel) => {
    const scaled = timestep * settings.timestep_scaling;
    const square = scaled ** 2 + 0.25;
    return { skip: 0.25 / square, out: scaled / Math.sqrt(square) };
  };
  return {
    name: 'LCM',
    trainTimesteps: settings.original_inference_steps,
    levels: (steps) => distilledLevels(settings, schedule, steps, cleanLevel, timesteps),
    sampler: () => limited(lcm({ boundary }), limitFrom(settings, images)),
  };
}

export function tcdParts(settings: Settings, { step, timesteps }: RunOptions): ConfigParts {
  const { schedule } = gridOf(settings);
  const below = (to: NoiseLevel, eta: number) => schedule.level(Math.floor((1 - eta) * to.timestep));
  return {
    name: 'TCD',
    trainTimesteps: settings.original_inference_steps,
    levels: (steps) => distilledLevels(settings, schedule, steps, schedule.level(0), timesteps),
    sampler: () => tcd({ eta: step.eta ?? 0.3, below }),
  };
}

interface Grid extends Pick<ConfigParts, 'trainTimesteps' | 'levels'> {
  readonly schedule: NoiseSchedule;
  /** The next timestep according to diffusers: `floor(trainTimesteps / steps)` away, wherever the next level is. */
  readonly shift: (steps: number) => LevelShift;
}

/** The last step ends at the clean image, or at the level of timestep 0. */
function gridOf(settings: Settings): Grid {
  const schedule = discreteSchedule(alphasCumprodFrom(settings));
  const { trainTimesteps, level } = schedule;
  const final = settings.set_alpha_to_one ? cleanLevel : level(0);
  return {
    schedule,
    trainTimesteps,
    levels: (steps) => {
      const timesteps = spacedTimesteps(settings.timestep_spacing, trainTimesteps, steps, settings.steps_offset);
      return [...timesteps.map(level), final];
    },
    shift: (steps) => (from, strides) => {
      const timestep = from.timestep + Math.trunc(strides * Math.floor(trainTimesteps / steps));
      return timestep < 0 ? final : level(timestep);
    },
  };
}

/** The given timesteps, or else an even selection of those that a consistency model was distilled on. */
function distilledLevels(
  { original_inference_steps: original }: Settings,
  { trainTimesteps, level }: NoiseSchedule,
  steps: number,
  final: NoiseLevel,
  given?: readonly number[],
): NoiseLevel[] {
  if (given?.length === steps) return [...given.map(level), final];
  const stride = Math.floor(trainTimesteps / original);
  const timesteps = Array.from(
    { length: steps },
    (_, i) => (original - Math.floor(i * (original / steps))) * stride - 1,
  );
  return [...timesteps.map(level), final];
}
