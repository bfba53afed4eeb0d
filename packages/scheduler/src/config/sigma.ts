import type { Sampler } from '@sd/core';
import type { Spacing } from '../create-scheduler.js';
import { linspace, roundHalfEven } from '../float32.js';
import { cleanLevel, type LevelAt, noiseRatio, preservingLevel } from '../level.js';
import { dpm2, dpm2Ancestral } from '../samplers/dpm2.js';
import { dpmppSde } from '../samplers/dpmpp-sde.js';
import { euler } from '../samplers/euler.js';
import { eulerAncestral } from '../samplers/euler-ancestral.js';
import { heun } from '../samplers/heun.js';
import { lms } from '../samplers/multistep.js';
import { betaSigmas, exponentialSigmas, karrasSigmas } from '../spacings/sigmas.js';
import { fractionalTimesteps } from '../spacings/timesteps.js';
import { predictions, type Settings } from './schema.js';
import { type ConfigParts, limited, limitFrom, type RunOptions, type StepOptions, sigmaSchedule } from './shared.js';

/** The Euler family as diffusers runs it: on sigmas read off the schedule between its timesteps. */

export function eulerParts(settings: Settings, { step }: RunOptions): ConfigParts {
  const lateChurn = predictions[settings.prediction_type];
  return sigmaParts('Euler', settings, (levelAt) => euler({ ...churnFrom(step), levelAt, lateChurn }));
}

export function eulerAncestralParts(settings: Settings): ConfigParts {
  return sigmaParts('Euler a', plain(settings), () => eulerAncestral());
}

export function lmsParts(settings: Settings): ConfigParts {
  return sigmaParts('LMS', plain(settings, true), () => lms());
}

export function heunParts(settings: Settings, { images }: RunOptions): ConfigParts {
  const limit = limitFrom({ ...settings, thresholding: false }, images);
  return sigmaParts('Heun', plain(settings, true), () => limited(heun(), limit));
}

export function dpm2Parts(settings: Settings): ConfigParts {
  return sigmaParts('DPM2', plain(settings, true), (levelAt) => dpm2({ levelAt }), settings.use_karras_sigmas);
}

export function dpm2AncestralParts(settings: Settings): ConfigParts {
  return sigmaParts(
    'DPM2 a',
    plain(settings, true),
    (levelAt) => dpm2Ancestral({ levelAt }),
    settings.use_karras_sigmas,
  );
}

export function dpmSdeParts(settings: Settings, { step }: RunOptions): ConfigParts {
  return sigmaParts('DPM++ SDE', plain(settings, true), (levelAt) => dpmppSde({ levelAt, sNoise: step.s_noise ?? 1 }));
}

/** Without the options that only Euler's class has; without respacing too, unless the class has it. */
function plain(settings: Settings, respaced = false): Settings {
  const { sigma_min: _, sigma_max: __, ...rest } = settings;
  const none = { use_karras_sigmas: false, use_exponential_sigmas: false, use_beta_sigmas: false };
  return {
    ...rest,
    interpolation_type: 'linear',
    timestep_type: 'discrete',
    final_sigmas_type: 'zero',
    ...(!respaced && none),
  };
}

export function churnFrom({ s_churn, s_tmin, s_tmax, s_noise }: StepOptions) {
  return { sChurn: s_churn ?? 0, sTmin: s_tmin ?? 0, sTmax: s_tmax ?? Infinity, sNoise: s_noise ?? 1 };
}

/** diffusers starts `leading` runs of this family with the variance of noise and picture together. */
function sigmaParts(
  name: string,
  settings: Settings,
  make: (levelAt: LevelAt) => Sampler,
  rounded = false,
): ConfigParts {
  const schedule = sigmaSchedule(settings);
  return {
    name: named(name, settings),
    schedule,
    spacing: sigmaSpacing(settings, rounded),
    samplerFor: () => make(schedule.levelAt),
    ...(settings.timestep_spacing === 'leading' && { initialSigma: 1 }),
  };
}

/** Sigmas respaced between two bounds, if a config asks for that. */
export function respacing(settings: Settings): ((steps: number, min: number, max: number) => number[]) | undefined {
  if (settings.use_karras_sigmas) return karrasSigmas;
  if (settings.use_exponential_sigmas) return exponentialSigmas;
  return settings.use_beta_sigmas ? betaSigmas : undefined;
}

/** A sampler's name with its spacing's: `DPM++ 2M Karras`. */
export function named(name: string, settings: Settings): string {
  if (settings.use_karras_sigmas) return `${name} Karras`;
  if (settings.use_exponential_sigmas) return `${name} Exponential`;
  return settings.use_beta_sigmas ? `${name} Beta` : name;
}

function sigmaSpacing(settings: Settings, rounded: boolean): Spacing {
  const respace = respacing(settings);
  return ({ trainTimesteps, sigmas, level, levelAt }, steps) => {
    const timesteps = fractionalTimesteps(settings.timestep_spacing, trainTimesteps, steps, settings.steps_offset);
    const [smallest, largest] = [sigmas[0]!, sigmas.at(-1)!];
    let ratios = timesteps.map((t) => noiseRatio(level(t)));
    let tail = settings.final_sigmas_type === 'zero' ? 0 : smallest;
    if (respace !== undefined) {
      ratios = respace(steps, settings.sigma_min ?? ratios.at(-1)!, settings.sigma_max ?? ratios[0]!);
    } else if (settings.interpolation_type === 'log_linear') {
      ratios = linspace(Math.log(largest), Math.log(smallest), steps + 1).map(Math.exp);
      tail = ratios.pop()!;
    }
    const continuous = settings.timestep_type === 'continuous' && settings.prediction_type === 'v_prediction';
    const levels = ratios.map((ratio, i) => {
      let timestep = respace === undefined ? timesteps[i]! : levelAt(ratio).timestep;
      if (rounded) timestep = roundHalfEven(timestep);
      if (continuous) timestep = 0.25 * Math.log(ratio);
      return preservingLevel(ratio, timestep);
    });
    return [...levels, tail === 0 ? cleanLevel : preservingLevel(tail, 0)];
  };
}
