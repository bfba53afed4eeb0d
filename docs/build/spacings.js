// Figures of the spacings: sigma / alpha at each step of a run.
import {
  alignYourSteps,
  alphasCumprodOf,
  betaSigmas,
  comfyBeta,
  discreteSchedule,
  exponentialSigmas,
  fixedSigmas,
  fixedTimesteps,
  flowSchedule,
  karrasSigmas,
  logLinear,
  noiseRatio,
  polyexponentialSigmas,
  scaledLinearBetas,
  sgmUniform,
  sigmaSpacing,
  simple,
  timestepSpacing,
} from '@sd/scheduler';
import { plot } from './plot.js';

/**
 * @typedef {import('@sd/scheduler').Spacing} Spacing
 * @typedef {Pick<import('./plot.js').Series, 'color' | 'marker' | 'dashed'>} Look
 */

const steps = 10;
const stableDiffusion = discreteSchedule(alphasCumprodOf(scaledLinearBetas()));
const x = { label: 'step', ticks: [0, 2, 4, 6, 8, 10] };
const ratio = {
  label: 'sigma / alpha',
  ticks: [0.03, 0.1, 0.3, 1, 3, 10],
  range: /** @type {const} */ ([0.02, 20]),
  log: true,
};

/** @type {Record<string, Spacing>} */
const customSpacings = {
  sigmas: fixedSigmas([14, 5, 2, 0.9, 0.4, 0.15]),
  timesteps: fixedTimesteps([999, 749, 499, 249]),
};

/** @type {Record<string, string>} */
export const spacingFigures = {
  'spacings-timesteps.svg': figure('Spacings of timesteps', [
    curve('leading', timestepSpacing('leading', { offset: 1 }), { color: 'green', marker: 'triangle' }),
    curve('linspace', timestepSpacing('linspace'), { color: 'orange', marker: 'diamond' }),
    curve('trailing', timestepSpacing('trailing'), { color: 'blue', marker: 'ring' }),
    curve('simple', simple, { color: 'purple', marker: 'square' }),
    curve('sgm_uniform', sgmUniform, { color: 'red', marker: 'cross' }),
  ]),
  'spacings-sigmas.svg': figure('Spacings of sigmas', [
    curve('Karras', sigmaSpacing(karrasSigmas), { color: 'blue', marker: 'circle' }),
    curve('exponential, lu', sigmaSpacing(exponentialSigmas), { color: 'orange', marker: 'square' }),
    curve('log-linear', logLinear, { color: 'green', marker: 'triangle' }),
    curve('polyexponential, rho 2', sigmaSpacing(poly(2)), { color: 'purple', marker: 'diamond' }),
    curve('polyexponential, rho 0.5', sigmaSpacing(poly(0.5)), { color: 'purple', marker: 'diamond', dashed: true }),
  ]),
  'spacings-beta.svg': figure('The two beta spacings', [
    curve('beta in diffusers and A1111', sigmaSpacing(betaSigmas), { color: 'orange', marker: 'square' }),
    curve('beta in ComfyUI', comfyBeta(), { color: 'blue', marker: 'circle' }),
    curve('linspace', timestepSpacing('linspace'), { color: 'gray', dashed: true }),
  ]),
  'spacings-lists.svg': figure('Tables and custom lists', [
    curve('Align Your Steps, SD 1', alignYourSteps('sd1'), { color: 'blue', marker: 'circle' }),
    curve('Align Your Steps, SDXL', alignYourSteps('sdxl'), { color: 'orange', marker: 'square' }),
    curve('fixed sigmas', customSpacings.sigmas, { color: 'green', marker: 'triangle' }, 6),
    curve('fixed timesteps', customSpacings.timesteps, { color: 'purple', marker: 'diamond' }, 4),
    curve('Karras', sigmaSpacing(karrasSigmas), { color: 'gray', dashed: true }),
  ]),
  'spacings-flow.svg': flowFigure(),
};

/** @param {number} rho */
function poly(rho) {
  return (/** @type {number} */ count, /** @type {number} */ min, /** @type {number} */ max) =>
    polyexponentialSigmas(count, min, max, rho);
}

/**
 * @param {string} label
 * @param {Spacing} spacing
 * @param {Look} look
 * @param {number} [count]
 */
function curve(label, spacing, look, count = steps) {
  const points = spacing(stableDiffusion, count).map((level, i) => /** @type {const} */ ([i, noiseRatio(level)]));
  return { label, points, ...look };
}

/**
 * @param {string} title
 * @param {import('./plot.js').Series[]} series
 */
function figure(title, series) {
  return plot(`${title}: sigma / alpha at each of ten steps`, [{ x, y: ratio, series }], { height: 340 });
}

function flowFigure() {
  /** @type {[number, Look][]} */
  const looks = [
    [1, { color: 'blue', marker: 'circle' }],
    [3, { color: 'orange', marker: 'square' }],
    [6, { color: 'green', marker: 'triangle' }],
  ];
  /** @param {(level: import('@sd/core').NoiseLevel) => number} read */
  const curves = (read) =>
    looks.map(([shift, look]) => ({
      label: `shift ${shift}`,
      points: simple(flowSchedule({ shift }), steps).map((level, i) => /** @type {const} */ ([i, read(level)])),
      ...look,
    }));
  const sigma = { label: 'sigma', ticks: [0, 0.2, 0.4, 0.6, 0.8, 1] };
  return plot('Flow matching with shift 1, 3 and 6: sigma, and sigma / alpha, at each of ten steps', [
    { x, y: sigma, series: curves(({ sigma }) => sigma) },
    { x, y: { ...ratio, ticks: [0.1, 1, 10], range: [0.05, 80] }, series: curves(noiseRatio) },
  ]);
}
