import {
  alphasCumprodOf,
  createScheduler,
  discreteSchedule,
  karrasSigmas,
  scaledLinearBetas,
  sigmaSpacing,
} from '@sd/scheduler';
import { mixtureDenoiser, testNoise } from '@sd/scheduler/testing';

/** @typedef {import('@sd/core').Sampler} Sampler */

const schedule = discreteSchedule(alphasCumprodOf(scaledLinearBetas()));

/**
 * How many model calls a sampler adds per step, and whether it draws noise.
 * @param {Sampler} sampler
 */
export async function costOf(sampler) {
  const [few, many] = [await countIn(sampler, 20), await countIn(sampler, 30)];
  return { calls: (many.calls - few.calls) / 10, noise: many.draws > 0 };
}

/**
 * @param {Sampler} sampler
 * @param {number} steps
 */
async function countIn(sampler, steps) {
  const { levels } = createScheduler({ schedule, spacing: sigmaSpacing(karrasSigmas), sampler }).plan(steps);
  const exact = mixtureDenoiser();
  const draw = testNoise(1, 2);
  let [calls, draws] = [0, 0];
  /** @type {import('@sd/core').Denoiser} */
  const denoise = (x, level) => {
    calls++;
    return exact(x, level);
  };
  const noise = () => {
    draws++;
    return draw();
  };
  for await (const _ of sampler(denoise, draw(), levels, { noise }));
  return { calls, draws };
}
