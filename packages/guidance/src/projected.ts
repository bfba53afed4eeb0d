import { convertPrediction, InvalidOptionError } from '@sd/core';
import { type Guidance, guidanceOf } from './guidance.js';
import { predictBoth, predictPositive } from './outputs.js';
import { checkScale, type GuidanceScale, recorded, scaleAt } from './scale.js';
import { dot } from './vector.js';

export interface AdaptiveProjectedGuidanceOptions {
  readonly scale: GuidanceScale;
  /** How much is kept of the part along the positive's x0, which saturates: 0 if left out; 1 keeps all. */
  readonly eta?: number;
  /** The most that the difference of positive and negative may measure (Euclidean norm, r): unbounded if left out. */
  readonly normThreshold?: number;
  /** How much of the differences before is added, beta; below 0 it pushes away from them. 0 if left out. */
  readonly momentum?: number;
  /** Whose formula: the paper's if left out, or that of diffusers' `AdaptiveProjectedGuidance`. */
  readonly form?: 'paper' | 'diffusers';
}

/**
 * Adaptive projected guidance (arXiv 2410.02416, algorithm 1), for high scales without burnt colours:
 * `positive + (scale - 1) * (orthogonal + eta * parallel)`, where the difference of positive and negative, after momentum
 * and norm threshold, is split along the positive. The paper has x0, so raw outputs are read as x0 and the result back:
 * what is along x0 is not along epsilon. At a scale of 1 or below, the positive's alone. With eta 1 and nothing else it
 * is classifier-free guidance.
 *
 * diffusers' class differs in two things. It splits raw outputs, whatever they mean; and it starts from the negative,
 * `negative + scale * (orthogonal + eta * parallel)`, which is the same only with eta 1 and nothing else. Its defaults
 * are an eta of 1 and a threshold of 15.
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
    let past: Float32Array | undefined;
    const updateFor = (positive: Float32Array, negative: Float32Array) => {
      const difference = positive.map((value, i) => value - negative[i] + momentum * (past?.[i] ?? 0));
      past = difference;
      const bound = Math.min(1, normThreshold / Math.sqrt(dot(difference, difference)));
      const along = dot(difference, positive) / Math.max(dot(positive, positive), 1e-24);
      return difference.map((value, i) => bound * (value - (1 - eta) * along * positive[i]));
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

function check(option: string, value: unknown, fits: boolean, what: string): void {
  if (!fits) throw new InvalidOptionError(option, `must be ${what}, not ${value}.`);
}
