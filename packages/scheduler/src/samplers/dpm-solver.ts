import type { NoiseLevel, Sampler } from '@sd/core';
import { firstOrderStep, logSnr } from '../level.js';
import { mix } from '../vector.js';
import { type Estimate, estimateOf, exponentialStep, type Predicted, remember } from './exponential.js';
import { stepwise } from './stepwise.js';

export interface DpmSolverOptions {
  /** 1 to 3; 2 by default. */
  readonly order?: number;
  /** The weight of the derivative at second order: half the first weight (`midpoint`, the default), or its exact integral. */
  readonly solverType?: 'midpoint' | 'heun';
  /** The quantity approximated by a polynomial: x0 as in DPM-Solver++ (the default), or epsilon as in DPM-Solver. */
  readonly predict?: Predicted;
  /** 0, the default, for the ODE, 1 for the SDE. Noise is drawn at every step unless it is 0. */
  readonly eta?: number;
  /** Factor on the noise; 1 by default. */
  readonly sNoise?: number;
  /**
   * True to halve the weight of the second derivative at third order, which reduces the method to second order. The
   * authors' multistep code, diffusers and k-diffusion do so.
   */
  readonly halfCurvature?: boolean;
}

/**
 * Takes x from one level to another with the polynomial through one to three estimates, the first of them at `from`:
 * DPM-Solver++ (arXiv 2211.01095, algorithms 1 and 2, and appendix B for the SDE) or DPM-Solver (arXiv 2206.00927).
 */
export function dpmSolverStep(
  x: Float32Array,
  from: NoiseLevel,
  to: NoiseLevel,
  estimates: readonly Estimate[],
  options: DpmSolverOptions,
  noise?: Float32Array,
): Float32Array {
  const { solverType = 'midpoint', predict = 'sample', eta = 0, sNoise = 1 } = options;
  const [at, near, far] = estimates as [Estimate, Estimate?, Estimate?];
  const h = logSnr(to) - at.lambda;
  if (h === 0) return x;
  const power = predict === 'sample' ? h * (1 + eta) : -h;
  const phi1 = -Math.expm1(-power);
  const phi2 = 1 - phi1 / power;
  const phi3 = phi2 / power - 0.5;

  const weights = [phi1];
  const add = (weight: number) => {
    weights[0] += weight;
    weights.push(-weight);
  };
  if (near !== undefined && far === undefined) {
    add(((solverType === 'midpoint' ? phi1 / 2 : phi2) * h) / (at.lambda - near.lambda));
  } else if (near !== undefined && far !== undefined) {
    const [r0, r1] = [(at.lambda - near.lambda) / h, (at.lambda - far.lambda) / h];
    const curvature = options.halfCurvature === true ? -phi3 : -2 * phi3;
    add((phi2 * r1 + curvature) / (r0 * (r1 - r0)));
    add(-(phi2 * r0 + curvature) / (r1 * (r1 - r0)));
  }
  const shares = weights.map((weight) => (weight * h) / power);
  return exponentialStep(x, from, to, predict, estimates, shares, eta, noise && mix([sNoise, noise]));
}

export interface DpmMultistepOptions extends DpmSolverOptions {
  /** True to lower the order in the last steps; false by default, as in k-diffusion. */
  readonly lowerOrderFinal?: boolean;
  /** True to take the last step with first order. A step to the clean image is of first order anyway. */
  readonly eulerAtFinal?: boolean;
}

/** DPM-Solver and DPM-Solver++, multistep, of orders 1 to 3, for the ODE or the SDE. One call per step. */
export function dpmSolverMultistep(options: DpmMultistepOptions = {}): Sampler {
  const { order = 2, predict = 'sample', eta = 0, lowerOrderFinal = false, eulerAtFinal = false } = options;
  return stepwise(({ noise }) => {
    let past: readonly Estimate[] = [];
    return (x, denoised, from, to, stepsLeft) => {
      past = remember(estimateOf(x, denoised, from, predict), past, order);
      const used = past.slice(0, stepsLeft === 1 && eulerAtFinal ? 1 : lowerOrderFinal ? stepsLeft : order);
      const fresh = eta > 0 ? noise(from, to) : undefined;
      if (to.sigma === 0) return firstOrderStep(x, denoised, from, to);
      return dpmSolverStep(x, from, to, used, options, fresh);
    };
  });
}

/** DPM++ 2M: second-order multistep DPM-Solver++ (arXiv 2211.01095, algorithm 2). */
export function dpmpp2m(): Sampler {
  return dpmSolverMultistep();
}

/** DPM++ 2M SDE: DPM++ 2M for the SDE (k-diffusion's `dpmpp_2m_sde`). */
export function dpmpp2mSde({
  eta = 1,
  ...options
}: Pick<DpmSolverOptions, 'eta' | 'sNoise' | 'solverType'> = {}): Sampler {
  return dpmSolverMultistep({ ...options, eta });
}

/** DPM++ 3M SDE: third order for the SDE, with half the weight on the second derivative (k-diffusion's `dpmpp_3m_sde`). */
export function dpmpp3mSde({ eta = 1, sNoise = 1 }: Pick<DpmSolverOptions, 'eta' | 'sNoise'> = {}): Sampler {
  return dpmSolverMultistep({ order: 3, solverType: 'heun', halfCurvature: true, eta, sNoise });
}

/**
 * Refined exponential solver, second-order multistep (arXiv 2308.02157): integrates the line through the last two
 * estimates exactly. ComfyUI's `res_multistep`.
 */
export function resMultistep(): Sampler {
  return dpmSolverMultistep({ solverType: 'heun' });
}
