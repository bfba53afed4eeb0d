import type { NoiseLevel, Sampler } from '@sd/core';
import { polynomialWeights } from '../interpolation.js';
import { firstOrderStep, logSnr } from '../level.js';
import { type Estimate, estimateOf, exponentialStep, type Predicted, remember } from './exponential.js';
import { stepwise } from './stepwise.js';

export interface UniPcOptions {
  /** Order of the predictor; the corrector's is one more. 2 if left out. */
  readonly order?: number;
  /** The function B(h): h for `bh1`, exp(h) - 1 for `bh2`, the default. */
  readonly solverType?: 'bh1' | 'bh2';
  /** What is taken as a polynomial; x0 if left out. */
  readonly predict?: Predicted;
  /** Lowers the order in the last steps; on if left out, as in the paper. */
  readonly lowerOrderFinal?: boolean;
  /** Steps, counted from 0, whose result is not corrected. */
  readonly disableCorrector?: readonly number[];
}

/**
 * Unified predictor-corrector, UniPC-p (arXiv 2302.04867, algorithms 1 and 2): each step's result is corrected with the
 * estimate made from it, which costs no further call. One call a step.
 */
export function unipc(options: UniPcOptions = {}): Sampler {
  const { order = 2, predict = 'sample', lowerOrderFinal = true, disableCorrector = [] } = options;
  return stepwise(({ levels }) => {
    let past: readonly Estimate[] = [];
    let before: { x: Float32Array; from: NoiseLevel; used: readonly Estimate[] } | undefined;
    return (x, denoised, from, to, left) => {
      const at = estimateOf(x, denoised, from, predict);
      if (
        before !== undefined &&
        !disableCorrector.includes(levels.length - 2 - left) &&
        past[0].lambda !== at.lambda
      ) {
        x = uniStep(before.x, before.from, from, before.used, options, at);
      }
      past = remember(at, past, order);
      const used = past.slice(0, lowerOrderFinal ? left : order);
      before = { x, from, used };
      return to.sigma === 0 ? firstOrderStep(x, denoised, from, to) : uniStep(x, from, to, used, options);
    };
  });
}

/** UniP, and UniC where the estimate `next` at `to` is known already. `past`: from the estimate at `from` backwards. */
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
