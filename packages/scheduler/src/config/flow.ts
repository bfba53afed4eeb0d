import { type NoiseLevel, type Sampler, UnsupportedError } from '@sd/core';
import { cleanLevel, flowLevel } from '../level.js';
import { linspace } from '../numbers.js';
import { euler } from '../samplers/euler.js';
import { heun } from '../samplers/heun.js';
import { lcm } from '../samplers/lcm.js';
import { ipndm } from '../samplers/multistep.js';
import { flowMatchSigmas, requiredMu } from './flow-sigmas.js';
import type { Settings } from './schema.js';
import type { ConfigParts, RunOptions } from './shared.js';
import { respacing } from './sigma.js';

/** The schedulers of diffusers that define their own schedules: flows and iPNDM. */

export function flowEulerParts(settings: Settings, { mu }: RunOptions): ConfigParts {
  if (settings.invert_sigmas) throw new UnsupportedError('invert_sigmas is not supported.');
  return flowParts('Euler', settings, settings.stochastic_sampling ? lcm() : euler(), mu);
}

export function flowHeunParts(settings: Settings): ConfigParts {
  return flowParts('Heun', settings, heun(), undefined);
}

function flowParts(name: string, settings: Settings, sampler: Sampler, given: number | undefined): ConfigParts {
  const { num_train_timesteps: trainTimesteps } = settings;
  const mu = requiredMu(settings, given);
  return {
    name,
    prediction: 'flow',
    trainTimesteps,
    sampler: () => sampler,
    levels: (steps) => {
      const shifted = flowMatchSigmas(settings, steps, mu);
      const sigmas = respacing(settings)?.(steps, shifted.at(-1)!, shifted[0]) ?? shifted;
      const levels = sigmas.map(Math.fround).map((sigma) => flowLevel(sigma, Math.fround(sigma * trainTimesteps)));
      return [...levels, cleanLevel];
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
