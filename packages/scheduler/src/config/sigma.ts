import type { NoiseLevel, Sampler, SamplingPlan } from '@sd/core';
import { cleanLevel, type LevelAt, preservingLevel } from '../level.js';
import { log32 } from '../log32.js';
import { brownianNoise } from '../noise/brownian.js';
import { linspace, linspace32, roundHalfEven, valueAt } from '../numbers.js';
import { dpm2, dpm2Ancestral } from '../samplers/dpm2.js';
import { dpmppSde } from '../samplers/dpmpp-sde.js';
import { euler } from '../samplers/euler.js';
import { eulerAncestral } from '../samplers/euler-ancestral.js';
import { heun } from '../samplers/heun.js';
import { lms } from '../samplers/multistep.js';
import type { NoiseSchedule } from '../schedules/noise-schedule.js';
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
  return sigmaParts('DPM2', settings, (levelAt) => dpm2({ levelAt }), { timestep: karrasRounded(settings) });
}

export function dpm2AncestralParts(settings: Settings): ConfigParts {
  const make = (levelAt: LevelAt) => dpm2Ancestral({ levelAt });
  return sigmaParts('DPM2 a', settings, make, { timestep: karrasRounded(settings) });
}

export function dpmSdeParts(settings: Settings, { step }: RunOptions): ConfigParts {
  const make = (levelAt: LevelAt) => dpmppSde({ levelAt, sNoise: step.s_noise ?? 1 });
  const noise = (levels: readonly NoiseLevel[]): SamplingPlan['noise'] => {
    return (run) => brownianNoise({ ...run, seed: settings.noise_sampler_seed ?? run.seed, levels });
  };
  return { ...sigmaParts('DPM++ SDE', settings, make, { spaced: Number }), noise };
}

export function churnFrom({ s_churn, s_tmin, s_tmax, s_noise }: StepOptions) {
  return { sChurn: s_churn ?? 0, sTmin: s_tmin ?? 0, sTmax: s_tmax ?? Infinity, sNoise: s_noise ?? 1 };
}

/** The spacing of sigmas between two bounds that a config asks for, if any. */
export function respacing(settings: Settings): ((steps: number, min: number, max: number) => number[]) | undefined {
  if (settings.use_karras_sigmas) return karrasSigmas;
  if (settings.use_lu_lambdas) return luSigmas;
  if (settings.use_exponential_sigmas) return exponentialSigmas;
  return settings.use_beta_sigmas ? betaSigmas : undefined;
}

/** Exponential sigmas as `_convert_to_lu` computes them: from logarithms in float32. */
function luSigmas(steps: number, min: number, max: number): number[] {
  const [high, low] = [log32(max), log32(min)];
  return linspace(0, 1, steps).map((ramp) => Math.exp(high + ramp * (low - high)));
}

/** A schedule's noise ratio at a timestep, interpolated and clamped to the table as `numpy.interp` does. */
export function ratioAt({ sigmas }: NoiseSchedule, timestep: number): number {
  return valueAt(sigmas, Math.min(Math.max(timestep, 0), sigmas.length - 1));
}

/** A variance-preserving level whose noise ratio is rounded to float32, like diffusers' `sigmas`. */
export function level32(ratio: number, timestep: number): NoiseLevel {
  return preservingLevel(Math.fround(ratio), timestep);
}

/** The name of a sampler with that of its spacing: `DPM++ 2M Karras`. */
export function named(name: string, settings: Settings): string {
  if (settings.use_karras_sigmas) return `${name} Karras`;
  if (settings.use_exponential_sigmas || settings.use_lu_lambdas) return `${name} Exponential`;
  return settings.use_beta_sigmas ? `${name} Beta` : name;
}

/** How a class rounds its timesteps: float32 unless stated. */
interface Rounding {
  /** Of the timesteps at which sigmas are looked up. */
  readonly spaced?: (timestep: number) => number;
  /** Of the timesteps that are found for sigmas. */
  readonly timestep?: (timestep: number) => number;
}

function karrasRounded(settings: Settings): Rounding['timestep'] {
  return settings.use_karras_sigmas ? roundHalfEven : undefined;
}

function sigmaParts(
  name: string,
  settings: Settings,
  make: (levelAt: LevelAt) => Sampler,
  { spaced = Math.fround, timestep: rounded = Math.fround }: Rounding = {},
): ConfigParts {
  const schedule = sigmaSchedule(settings);
  const { trainTimesteps, sigmas, levelAt } = schedule;
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
      const timesteps = fractionalTimesteps(spacing, trainTimesteps, steps, settings.steps_offset).map(spaced);
      const logLinear = settings.interpolation_type === 'log_linear';
      let ratios = logLinear
        ? Array.from(linspace32(log32(largest), log32(smallest), steps + 1).map(Math.exp))
        : timesteps.map((t) => ratioAt(schedule, t));
      let final = settings.final_sigmas_type === 'zero' ? cleanLevel : preservingLevel(smallest, 0);
      if (respace !== undefined) ratios = respace(steps, sigma_min ?? ratios.at(-1)!, sigma_max ?? ratios[0]);
      else if (logLinear) final = preservingLevel(ratios.pop()!, 0);
      const timestepOf = (ratio: number, i: number) =>
        respace === undefined ? timesteps[i] : rounded(levelAt(ratio).timestep);
      const levels = ratios.map((ratio, i) =>
        level32(ratio, continuous ? 0.25 * Math.log(ratio) : timestepOf(ratio, i)),
      );
      return [...levels, final];
    },
  };
}
