import { InvalidOptionError, type NoiseLevel, type Sampler, UnsupportedError } from '@sd/core';
import { cleanLevel, flowLevel } from '../level.js';
import { linspace } from '../numbers.js';
import { euler } from '../samplers/euler.js';
import { heun } from '../samplers/heun.js';
import { lcm } from '../samplers/lcm.js';
import { ipndm } from '../samplers/multistep.js';
import { shiftSigma } from '../schedules/flow-schedule.js';
import type { Settings } from './schema.js';
import type { ConfigParts, RunOptions } from './shared.js';
import { respacing } from './sigma.js';

/** The schedulers of diffusers with schedules of their own: flows and iPNDM. */

export function flowEulerParts(settings: Settings, { mu }: RunOptions): ConfigParts {
  if (settings.invert_sigmas) throw new UnsupportedError('invert_sigmas is not supported.');
  return flowParts('Euler', settings, settings.stochastic_sampling ? lcm() : euler(), mu);
}

export function flowHeunParts(settings: Settings): ConfigParts {
  return flowParts('Heun', settings, heun(), undefined);
}

/** diffusers shifts twice: once the ends of the range, and once all sigmas between them. */
function flowParts(name: string, settings: Settings, sampler: Sampler, mu: number | undefined): ConfigParts {
  const { num_train_timesteps: trainTimesteps, use_dynamic_shifting, shift_terminal } = settings;
  if (use_dynamic_shifting && mu === undefined) {
    throw new InvalidOptionError('mu', 'must be given with use_dynamic_shifting.');
  }
  const shift = use_dynamic_shifting ? 1 : settings.shift;
  const secondShift = mu === undefined ? shift : settings.time_shift_type === 'exponential' ? Math.exp(mu) : mu;
  return {
    name,
    prediction: 'flow',
    trainTimesteps,
    sampler: () => sampler,
    levels: (steps) => {
      let sigmas = linspace(1, shiftSigma(1 / trainTimesteps, shift), steps).map((sigma) =>
        shiftSigma(sigma, secondShift),
      );
      if (shift_terminal !== undefined) {
        const factor = (1 - sigmas.at(-1)!) / (1 - shift_terminal);
        sigmas = sigmas.map((sigma) => 1 - (1 - sigma) / factor);
      }
      sigmas = respacing(settings)?.(steps, sigmas.at(-1)!, sigmas[0]) ?? sigmas;
      return [...sigmas.map((sigma) => flowLevel(sigma, sigma * trainTimesteps)), cleanLevel];
    },
  };
}

/** iPNDM's own schedule: sigma is the squared sine of time. In diffusers the first estimate of x0, at alpha 0, is 0. */
export function ipndmParts(settings: Settings): ConfigParts {
  const level = (time: number): NoiseLevel => {
    const sigma = Math.sin((time * Math.PI) / 2) ** 2;
    const alpha = Math.sqrt(1 - sigma ** 2);
    return { alpha, sigma, timestep: (Math.atan2(sigma, alpha) / Math.PI) * 2 };
  };
  const sampler: Sampler = (denoise, ...rest) =>
    ipndm()(
      async (x, level) => (level.alpha === 0 ? (await denoise(x, level)).map(() => 0) : denoise(x, level)),
      ...rest,
    );
  return {
    name: 'iPNDM',
    prediction: 'v',
    trainTimesteps: settings.num_train_timesteps,
    levels: (steps) => linspace(1, 0, steps + 1).map(level),
    sampler: () => sampler,
  };
}
