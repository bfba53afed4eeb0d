import { InvalidOptionError, type NoiseLevel, type Sampler, UnsupportedError } from '@sd/core';
import type { Spacing } from '../create-scheduler.js';
import { linspace } from '../float32.js';
import { cleanLevel, flowLevel } from '../level.js';
import { dpmSolverMultistep } from '../samplers/dpm-solver.js';
import { euler } from '../samplers/euler.js';
import { heun } from '../samplers/heun.js';
import { lcm } from '../samplers/lcm.js';
import { ipndm } from '../samplers/multistep.js';
import { flowSchedule, shiftSigma } from '../schedules/flow-schedule.js';
import type { NoiseSchedule } from '../schedules/noise-schedule.js';
import { exponentialSigmas, karrasSigmas } from '../spacings/sigmas.js';
import type { Settings } from './schema.js';
import type { ConfigParts, RunOptions } from './shared.js';
import { churnFrom, respacing } from './sigma.js';

/** Schedulers of diffusers that are not variance-preserving: flows, EDM, and iPNDM with a schedule of its own. */

export function flowEulerParts(settings: Settings, { mu }: RunOptions): ConfigParts {
  if (settings.invert_sigmas) throw new UnsupportedError('invert_sigmas is not supported: noise is sigma 1 here.');
  return flowParts('Euler', settings, settings.stochastic_sampling ? lcm() : euler(), mu);
}

export function flowHeunParts(settings: Settings): ConfigParts {
  const { shift_terminal: _, ...rest } = settings;
  return flowParts('Heun', { ...rest, use_dynamic_shifting: false }, heun(), undefined);
}

function flowParts(name: string, settings: Settings, sampler: Sampler, mu: number | undefined): ConfigParts {
  const { num_train_timesteps: trainTimesteps } = settings;
  const shift = settings.use_dynamic_shifting ? 1 : settings.shift;
  return {
    name,
    schedule: flowSchedule({ trainTimesteps, shift }),
    initialSigma: 1,
    spacing: flowSpacing(settings, shift, mu),
    samplerFor: () => sampler,
  };
}

/** diffusers shifts twice: the ends of its range are shifted sigmas, and so is what it spreads between them. */
function flowSpacing(settings: Settings, shift: number, mu: number | undefined): Spacing {
  if (settings.use_dynamic_shifting && mu === undefined) {
    throw new InvalidOptionError(
      'mu',
      'must be given where use_dynamic_shifting is on: it depends on the size of the picture.',
    );
  }
  const exponential = settings.time_shift_type === 'exponential';
  const moved = mu === undefined ? shift : exponential ? Math.exp(mu) : mu;
  const respace = respacing(settings);
  return ({ trainTimesteps }, steps) => {
    let sigmas = linspace(1, shiftSigma(1 / trainTimesteps, shift), steps).map((sigma) => shiftSigma(sigma, moved));
    if (settings.shift_terminal !== undefined) {
      const factor = (1 - sigmas.at(-1)!) / (1 - settings.shift_terminal);
      sigmas = sigmas.map((sigma) => 1 - (1 - sigma) / factor);
    }
    if (respace !== undefined) sigmas = respace(steps, sigmas.at(-1)!, sigmas[0]!);
    return [...sigmas.map((sigma) => flowLevel(sigma, sigma * trainTimesteps)), cleanLevel];
  };
}

export function edmEulerParts(settings: Settings, { step }: RunOptions): ConfigParts {
  return edmParts('Euler', settings, euler(churnFrom(step)));
}

export function edmDpmParts(settings: Settings): ConfigParts {
  const {
    solver_order: order,
    solver_type,
    algorithm_type,
    lower_order_final,
    euler_at_final: eulerAtFinal,
  } = settings;
  const solverType = solver_type === 'heun' ? 'heun' : 'midpoint';
  const eta = algorithm_type === 'sde-dpmsolver++' ? 1 : 0;
  return {
    ...edmParts('DPM++ 2M', settings, euler()),
    samplerFor: (steps) =>
      dpmSolverMultistep({
        order,
        solverType,
        eta,
        halfCurvature: true,
        eulerAtFinal,
        lowerOrderFinal: lower_order_final && steps < 15,
      }),
  };
}

/**
 * EDM (arXiv 2206.00364, table 1): x scaled so that the model takes it as it is, and the last level is the picture. The
 * model's output is none of the four predictions; `sample` stands for the denoiser that `edmDenoised` makes of it.
 */
function edmParts(name: string, settings: Settings, sampler: Sampler): ConfigParts {
  const { sigma_min: min = 0.002, sigma_max: max = 80, sigma_data, rho } = settings;
  const level = (sigma: number): NoiseLevel => {
    const alpha = 1 / Math.hypot(sigma, sigma_data);
    return { alpha, sigma: sigma * alpha, timestep: 0.25 * Math.log(sigma) };
  };
  const spaced = (steps: number) =>
    settings.sigma_schedule === 'karras' ? karrasSigmas(steps, min, max, rho) : exponentialSigmas(steps, min, max);
  const sigmas = Float32Array.from(spaced(settings.num_train_timesteps)).reverse();
  return {
    name,
    prediction: 'sample',
    schedule: { trainTimesteps: sigmas.length, sigmas, level: (i) => level(sigmas[Math.round(i)]!), levelAt: level },
    initialSigma: Math.hypot(max, 1) * level(max).alpha,
    spacing: (_, steps) => {
      const levels = spaced(steps).map(level);
      return [...levels, settings.final_sigmas_type === 'zero' ? cleanLevel : levels.at(-1)!];
    },
    samplerFor: () => sampler,
  };
}

/** iPNDM's own schedule: sigma is a squared sine of time. Its first estimate of x0, at alpha 0, counts as 0 in diffusers. */
export function ipndmParts(settings: Settings): ConfigParts {
  const trainTimesteps = settings.num_train_timesteps;
  const level = (time: number): NoiseLevel => {
    const sigma = Math.sin((time * Math.PI) / 2) ** 2;
    const alpha = Math.sqrt(1 - sigma ** 2);
    return { alpha, sigma, timestep: (Math.atan2(sigma, alpha) / Math.PI) * 2 };
  };
  const schedule: NoiseSchedule = {
    trainTimesteps,
    sigmas: Float32Array.from({ length: trainTimesteps }, (_, i) => {
      const { alpha, sigma } = level((i + 1) / trainTimesteps);
      return sigma / Math.max(alpha, 2 ** -12);
    }),
    level: (timestep) => level((Math.asin(Math.sqrt(Math.sin((timestep * Math.PI) / 2))) / Math.PI) * 2),
    levelAt: (ratio) => level((Math.asin(Math.sqrt(ratio / Math.hypot(1, ratio))) / Math.PI) * 2),
  };
  const sampler: Sampler = (denoise, ...rest) =>
    ipndm()(async (x, at) => (at.alpha === 0 ? (await denoise(x, at)).fill(0) : denoise(x, at)), ...rest);
  return {
    name: 'iPNDM',
    schedule,
    initialSigma: 1,
    spacing: (_, steps) => linspace(1, 0, steps + 1).map(level),
    samplerFor: () => sampler,
  };
}
