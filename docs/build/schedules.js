// One figure per noise schedule: alpha, sigma and their ratio over the timesteps of training.
import {
  alphasCumprodOf,
  cosineBetas,
  discreteSchedule,
  flowSchedule,
  linearBetas,
  noiseRatio,
  rescaleZeroTerminalSnr,
  scaledLinearBetas,
} from '@sd/scheduler';
import { plot } from './plot.js';

/** @typedef {import('@sd/scheduler').NoiseSchedule} NoiseSchedule */

/** @param {Float32Array} betas */
const fromBetas = (betas) => discreteSchedule(alphasCumprodOf(betas));

/** Every ninth of 1000, and all of them at both ends, where the curves are steep. */
const trainingSteps = Array.from({ length: 1000 }, (_, t) => t).filter((t) => t < 10 || t > 985 || t % 9 === 0);

/** @type {Record<string, string>} */
export const scheduleFigures = {
  'linear.svg': figure('Linear betas', { '': fromBetas(linearBetas()) }),
  'scaled-linear.svg': figure('Scaled linear betas', { '': fromBetas(scaledLinearBetas()) }),
  'cosine.svg': figure('Squared cosine', { '': fromBetas(cosineBetas()) }),
  'zero-terminal-snr.svg': figure('Scaled linear betas, rescaled to zero terminal SNR', {
    ', rescaled': fromBetas(rescaleZeroTerminalSnr(scaledLinearBetas())),
    ', before': fromBetas(scaledLinearBetas()),
  }),
  'flow.svg': figure('Rectified flow with shift 1 and 3', {
    ', shift 1': flowSchedule(),
    ', shift 3': flowSchedule({ shift: 3 }),
  }),
};

/**
 * @param {string} title
 * @param {Record<string, NoiseSchedule>} schedules by the suffix of their curves' labels; the second is dashed
 */
function figure(title, schedules) {
  /**
   * @param {string} name
   * @param {'blue' | 'orange' | 'green'} color
   * @param {(level: import('@sd/core').NoiseLevel) => number} read
   */
  const curves = (name, color, read) =>
    Object.entries(schedules).map(([suffix, schedule], i) => ({
      label: name + suffix,
      points: trainingSteps.map((t) => /** @type {const} */ ([t, read(schedule.level(t))])),
      color,
      dashed: i > 0,
    }));
  const x = { label: 'timestep', ticks: [0, 200, 400, 600, 800, 1000] };
  return plot(`${title}: alpha, sigma and sigma / alpha over the timesteps of training`, [
    {
      x,
      y: { label: 'alpha, sigma', ticks: [0, 0.2, 0.4, 0.6, 0.8, 1] },
      series: [...curves('alpha', 'blue', ({ alpha }) => alpha), ...curves('sigma', 'orange', ({ sigma }) => sigma)],
    },
    {
      x,
      y: { label: 'sigma / alpha', ticks: [0.001, 0.01, 0.1, 1, 10, 100], range: [0.001, 500], log: true },
      series: curves('sigma / alpha', 'green', noiseRatio),
    },
  ]);
}
