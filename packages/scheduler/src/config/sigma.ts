import type { Sampler } from '@sd/core';
import { cleanLevel, type LevelAt, noiseRatio, preservingLevel } from '../level.js';
import { linspace, roundHalfEven } from '../numbers.js';
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

/** The Euler family as diffusers runs it: on sigmas interpolated from the schedule. */

export function eulerParts(settings: Settings, { step }: RunOptions): ConfigParts {
  const lateChurn = predictions[settings.prediction_type];
  return sigmaParts('Euler', settings, (levelAt) => euler({ ...churnFrom(step), levelAt, lateChurn }));
}

export function eulerAncestralParts(settings: Settings): ConfigParts {
  return sigmaParts('Euler a', settings, () => eulerAncestral());
}

export function lmsParts(settings: Settings): ConfigParts {
  return sigmaParts('LMS', settings, () => lms());
}

export function heunParts(settings: Settings, { images }: RunOptions): ConfigParts {
  return sigmaParts('Heun', settings, () => limited(heun(), limitFrom(settings, images)));
}

export function dpm2Parts(settings: Settings): ConfigParts {
  return sigmaParts('DPM2', settings, (levelAt) => dpm2({ levelAt }), settings.use_karras_sigmas);
}

export function dpm2AncestralParts(settings: Settings): ConfigParts {
  return sigmaParts('DPM2 a', settings, (levelAt) => dpm2Ancestral({ levelAt }), settings.use_karras_sigmas);
}

export function dpmSdeParts(settings: Settings, { step }: RunOptions): ConfigParts {
  return sigmaParts('DPM++ SDE', settings, (levelAt) => dpmppSde({ levelAt, sNoise: step.s_noise ?? 1 }));
}

export function churnFrom({ s_churn, s_tmin, s_tmax, s_noise }: StepOptions) {
  return { sChurn: s_churn ?? 0, sTmin: s_tmin ?? 0, sTmax: s_tmax ?? Infinity, sNoise: s_noise ?? 1 };
}

/** The spacing of sigmas between two bounds that a config asks for, if any. */
export function respacing(settings: Settings): ((steps: number, min: number, max: number) => number[]) | undefined {
  if (settings.use_karras_sigmas) return karrasSigmas;
  if (settings.use_exponential_sigmas || settings.use_lu_lambdas) return exponentialSigmas;
  return settings.use_beta_sigmas ? betaSigmas : undefined;
}

/** The name of a sampler with that of its spacing: `DPM++ 2M Karras`. */
export function named(name: string, settings: Settings): string {
  if (settings.use_karras_sigmas) return `${name} Karras`;
  if (settings.use_exponential_sigmas || settings.use_lu_lambdas) return `${name} Exponential`;
  return settings.use_beta_sigmas ? `${name} Beta` : name;
}

function sigmaParts(
  name: string,
  settings: Settings,
  make: (levelAt: LevelAt) => Sampler,
  rounded = false,
): ConfigParts {
  const { trainTimesteps, sigmas, level, levelAt } = sigmaSchedule(settings);
  const { timestep_spacing: spacing, sigma_min, sigma_max } = settings;
  const [smallest, largest] = [sigmas[0], sigmas.at(-1)!];
  const respace = respacing(settings);
  const continuous = settings.timestep_type === 'continuous' && settings.prediction_type === 'v_prediction';
  return {
    name: named(name, settings),
    trainTimesteps,
    sampler: () => make(levelAt),
    // With `leading`, diffusers starts with the variance of noise and image together.
    initialSigma: spacing === 'leading' ? undefined : ([first]) => first.sigma,
    levels: (steps) => {
      const timesteps = fractionalTimesteps(spacing, trainTimesteps, steps, settings.steps_offset);
      let ratios = timesteps.map((t) => noiseRatio(level(t)));
      let final = settings.final_sigmas_type === 'zero' ? cleanLevel : preservingLevel(smallest, 0);
      if (respace !== undefined) {
        ratios = respace(steps, sigma_min ?? ratios.at(-1)!, sigma_max ?? ratios[0]);
      } else if (settings.interpolation_type === 'log_linear') {
        ratios = linspace(Math.log(largest), Math.log(smallest), steps + 1).map(Math.exp);
        final = preservingLevel(ratios.pop()!, 0);
      }
      const levels = ratios.map((ratio, i) => {
        const timestep = respace === undefined ? timesteps[i] : levelAt(ratio).timestep;
        return preservingLevel(
          ratio,
          continuous ? 0.25 * Math.log(ratio) : rounded ? roundHalfEven(timestep) : timestep,
        );
      });
      return [...levels, final];
    },
  };
}
