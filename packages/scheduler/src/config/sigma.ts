import type { NoiseLevel } from '@sd/core';
import type { Spacing } from '../create-scheduler.js';
import { linspace } from '../float32.js';
import { noiseRatio, preservingLevel } from '../level.js';
import { euler } from '../samplers/euler.js';
import { betaSigmas, exponentialSigmas, karrasSigmas } from '../spacings/sigmas.js';
import { fractionalTimesteps } from '../spacings/timesteps.js';
import { predictions, type Settings } from './schema.js';
import { type ConfigParts, type StepOptions, sigmaSchedule } from './shared.js';

/** The Euler family as diffusers runs it: on sigmas read off the schedule between its timesteps. */

export function eulerParts(settings: Settings, step: StepOptions): ConfigParts {
  const schedule = sigmaSchedule(settings);
  const { s_churn: sChurn, s_tmin: sTmin, s_tmax: sTmax, s_noise: sNoise } = step;
  const churn = {
    ...(sTmin !== undefined && { sTmin }),
    ...(sTmax !== undefined && { sTmax }),
    ...(sNoise !== undefined && { sNoise }),
  };
  return {
    name: 'Euler',
    schedule,
    ...initialNoise(settings),
    spacing: sigmaSpacing(settings),
    samplerFor: () =>
      euler({
        ...churn,
        sChurn: sChurn ?? 0,
        levelAt: schedule.levelAt,
        lateChurn: predictions[settings.prediction_type],
      }),
  };
}

/** diffusers starts `leading` runs of this family with the variance of noise and picture together. */
function initialNoise({ timestep_spacing }: Settings): { initialSigma?: number } {
  return timestep_spacing === 'leading' ? { initialSigma: 1 } : {};
}

const clean: NoiseLevel = { alpha: 1, sigma: 0, timestep: 0 };

/** Sigmas respaced between two bounds, if a config asks for that. */
export function respacing(settings: Settings): ((steps: number, min: number, max: number) => number[]) | undefined {
  if (settings.use_karras_sigmas) return karrasSigmas;
  if (settings.use_exponential_sigmas) return exponentialSigmas;
  return settings.use_beta_sigmas ? betaSigmas : undefined;
}

function sigmaSpacing(settings: Settings): Spacing {
  const respace = respacing(settings);
  return (schedule, steps) => {
    const { trainTimesteps, sigmas } = schedule;
    const timesteps = fractionalTimesteps(settings.timestep_spacing, trainTimesteps, steps, settings.steps_offset);
    if (settings.interpolation_type === 'log_linear' && respace === undefined) {
      const even = linspace(Math.log(sigmas.at(-1)!), Math.log(sigmas[0]!), steps + 1).map(Math.exp);
      return even.map((ratio, i) => preservingLevel(ratio, timesteps[i] ?? 0));
    }
    const ratios = timesteps.map((t) => noiseRatio(schedule.level(t)));
    const levels =
      respace?.(steps, settings.sigma_min ?? ratios.at(-1)!, settings.sigma_max ?? ratios[0]!).map(schedule.levelAt) ??
      ratios.map((ratio, i) => preservingLevel(ratio, timesteps[i]!));
    return [...levels, settings.final_sigmas_type === 'zero' ? clean : preservingLevel(sigmas[0]!, 0)];
  };
}
