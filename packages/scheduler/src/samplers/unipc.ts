import type { NoiseLevel, Sampler } from '@sd/core';
import { polynomialWeights } from '../interpolation.js';
import { firstOrderStep, logSnr } from '../level.js';
import { type Estimate, estimateOf, exponentialStep, type Predicted, remember } from './exponential.js';
import { stepwise } from './stepwise.js';

export interface UniPcOptions {
  /** Order of the predictor, 2 by default; the corrector's is one higher. */
  readonly order?: number;
  /** The function B(h): h for `bh1`, exp(h) - 1 for `bh2` (the default). */
  readonly solverType?: 'bh1' | 'bh2';
  /** The quantity approximated by a polynomial; x0 by default. */
  readonly predict?: Predicted;
  /** True, the default, to lower the order in the last steps, as in the paper. */
  readonly lowerOrderFinal?: boolean;
  /** Indices of the steps without a corrector, from 0. */
  readonly disableCorrector?: readonly number[];
}

/**
 * Unified predictor-corrector, UniPC-p (arXiv 2302.04867, algorithms 1 and 2): each step's result is corrected with the
 * next step's estimate, which costs no extra call. One call per step.
 */
export function unipc(options: UniPcOptions = {}): Sampler {
  const { order = 2, predict = 'sample', lowerOrderFinal = true, disableCorrector = [] } = options;
  return stepwise(({ levels }) => {
    let past: readonly Estimate[] = [];
    let previous: { x: Float32Array; from: NoiseLevel; used: readonly Estimate[] } | undefined;
    return (x, denoised, from, to, stepsLeft) => {
      const estimate = estimateOf(x, denoised, from, predict);
      if (
        previous !== undefined &&
        !disableCorrector.includes(levels.length - 2 - stepsLeft) &&
        past[0].lambda !== estimate.lambda
      ) {
        x = uniStep(previous.x, previous.from, from, previous.used, options, estimate);
      }
      past = remember(estimate, past, order);
      const used = past.slice(0, lowerOrderFinal ? stepsLeft : order);
      previous = { x, from, used };
      return to.sigma === 0 ? firstOrderStep(x, denoised, from, to) : uniStep(x, from, to, used, options);
    };
  });
}

/** UniP, or UniC if `next`, the estimate at `to`, is known. `past` starts with the estimate at `from`, newest first. */
function uniStep(
  x: Float32Array,
  from: NoiseLevel,
  to: NoiseLevel,
  past: readonly Estimate[],
  { solverType = 'bh2', predict = 'sample' }: UniPcOptions,
  next?: Estimate,
): Float32Array {
  const at = past[0];
  const h = logSnr(to) - at.lambda;
  if (h === 0) return x;
  const data = predict === 'sample';
  const signed = data ? -h : h;
  const phi1 = Math.expm1(signed);
  const bh = solverType === 'bh1' ? signed : phi1;
  const nodes = next === undefined ? past.slice(1) : [...past.slice(1), next];
  const ratios = nodes.map(({ lambda }) => (lambda - at.lambda) / h);

  const rights: number[] = [];
  let phi = phi1 / signed - 1;
  let factorial = 1;
  for (let k = 1; k <= ratios.length; k++) {
    factorial *= k;
    rights.push((phi * factorial) / bh);
    phi = phi / signed - 1 / (factorial * (k + 1));
  }
  const plain = ratios.length === 1 && (next === undefined || past.length === 1);
  const weights = plain ? [0.5] : polynomialWeights(ratios, rights);
  const unit = data ? -1 : 1;
  const shares = weights.map((weight, k) => (unit * bh * weight) / ratios[k]);
  const first = unit * phi1 - shares.reduce((sum, share) => sum + share, 0);
  return exponentialStep(x, from, to, predict, [at, ...nodes], [first, ...shares]);
}
