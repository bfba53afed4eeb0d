import { convertPrediction, InvalidOptionError, show } from '@sd/core';
import { type Guidance, guidanceOf } from './guidance.js';
import { predictBoth, predictPositive } from './outputs.js';
import { checkScale, type GuidanceScale, recorded, scaleAt } from './scale.js';
import { dot } from './vector.js';

export interface AdaptiveProjectedGuidanceOptions {
  readonly scale: GuidanceScale;
  /** Fraction to keep of the component parallel to the positive's x0, which causes oversaturation: 0 by default. */
  readonly eta?: number;
  /** Upper bound r of the Euclidean norm of the difference between positive and negative: unbounded by default. */
  readonly normThreshold?: number;
  /** Momentum beta of the difference over the steps; below 0 it pushes away from earlier directions. 0 by default. */
  readonly momentum?: number;
  /** The paper's formula (the default), or that of diffusers' `AdaptiveProjectedGuidance`. */
  readonly form?: 'paper' | 'diffusers';
}

/**
 * Adaptive projected guidance (arXiv 2410.02416, algorithm 1), for high scales without oversaturation:
 * `positive + (scale - 1) * (orthogonal + eta * parallel)`. The two components are those of the difference between positive
 * and negative, after momentum and norm threshold, relative to the positive. The paper works on x0, so raw outputs are
 * converted to x0 and back: directions parallel to x0 are not parallel to epsilon. At a scale of 1 or below only the
 * positive prompt is evaluated. With an eta of 1 and no other option it is classifier-free guidance.
 *
 * diffusers' class differs in two ways. It projects raw outputs, whatever they mean; and it starts from the negative,
 * `negative + scale * (orthogonal + eta * parallel)`, which is the same only with an eta of 1 and no other option. Its
 * defaults are an eta of 1 and a threshold of 15.
 */
export function adaptiveProjectedGuidance(options: AdaptiveProjectedGuidanceOptions): Guidance {
  const { scale, eta = 0, normThreshold = Infinity, momentum = 0, form = 'paper' } = options;
  checkScale(scale);
  check('eta', eta, Number.isFinite(eta), 'a finite number');
  check('normThreshold', normThreshold, normThreshold > 0, 'a number above 0');
  check('momentum', momentum, Number.isFinite(momentum), 'a finite number');
  check('form', form, form === 'paper' || form === 'diffusers', 'paper or diffusers');

  const settings = {
    Guidance: form === 'paper' ? 'APG' : 'APG diffusers',
    'CFG scale': recorded(scale),
    'APG eta': eta,
    'APG norm threshold': normThreshold === Infinity ? undefined : normThreshold,
    'APG momentum': momentum === 0 ? undefined : momentum,
  };
  return guidanceOf(settings, () => {
    let previous: Float32Array | undefined;
    const updateFor = (positive: Float32Array, negative: Float32Array) => {
      const difference = positive.map((value, i) => value - negative[i] + momentum * (previous?.[i] ?? 0));
      previous = difference;
      const bound = Math.min(1, normThreshold / Math.sqrt(dot(difference, difference)));
      const projection = dot(difference, positive) / Math.max(dot(positive, positive), 1e-24);
      return difference.map((value, i) => bound * (value - (1 - eta) * projection * positive[i]));
    };
    return async (input) => {
      const w = scaleAt(scale, input.level);
      if (w <= 1) return predictPositive(input);
      const raw = await predictBoth(input);
      if (form === 'diffusers') {
        const update = updateFor(raw.positive, raw.negative);
        return raw.negative.map((value, i) => value + w * update[i]);
      }
      const { x, level, prediction } = input;
      const positive = convertPrediction(raw.positive, prediction, 'sample', x, level);
      const negative = convertPrediction(raw.negative, prediction, 'sample', x, level);
      const update = updateFor(positive, negative);
      const guided = positive.map((value, i) => value + (w - 1) * update[i]);
      return convertPrediction(guided, 'sample', prediction, x, level);
    };
  });
}

function check(option: string, value: unknown, isValid: boolean, expected: string): void {
  if (!isValid) throw new InvalidOptionError(option, `must be ${expected}, not ${show(value)}.`);
}
