import type { NoiseLevel, Sampler } from '@sd/core';
import { firstOrderStep, logSnr } from '../level.js';
import { mix } from '../vector.js';
import { type Estimate, estimateOf, exponentialStep, type Predicted, remember } from './exponential.js';
import { stepwise } from './stepwise.js';

export interface DpmSolverOptions {
  /** 1 to 3; 2 if left out. */
  readonly order?: number;
  /** How the second order's derivative is weighed: with half the first weight, or with its exact integral. */
  readonly solverType?: 'midpoint' | 'heun';
  /** What is taken as a polynomial: x0 as in DPM-Solver++ (the default), or epsilon as in DPM-Solver. */
  readonly predict?: Predicted;
  /** Noise: 0, the default, for the ODE, 1 for the SDE. Drawn at every step unless 0. */
  readonly eta?: number;
  /** Factor on the noise; 1 if left out. */
  readonly sNoise?: number;
  /**
   * Weighs the third order's second derivative by half, as the authors' multistep code, diffusers and k-diffusion do,
   * which leaves second order.
   */
  readonly halfCurvature?: boolean;
}

/**
 * Solves from `from`, where x is, to `to`, with the polynomial through one to three estimates, of which the first is at
 * `from`: DPM-Solver++ (arXiv 2211.01095, algorithms 1 and 2, and appendix B for the SDE) or DPM-Solver (arXiv 2206.00927).
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
  /** Lowers the order in the last steps; k-diffusion does not. */
  readonly lowerOrderFinal?: boolean;
  /** Takes the last step with the first order. A last step to the clean picture is of first order anyway. */
  readonly eulerAtFinal?: boolean;
}

/** DPM-Solver and DPM-Solver++, multistep, of orders 1 to 3, as ODE or SDE. One call a step. */
export function dpmSolverMultistep(options: DpmMultistepOptions = {}): Sampler {
  const { order = 2, predict = 'sample', eta = 0, lowerOrderFinal = false, eulerAtFinal = false } = options;
  return stepwise(({ noise }) => {
    let past: readonly Estimate[] = [];
    return (x, denoised, from, to, left) => {
      past = remember(estimateOf(x, denoised, from, predict), past, order);
      const used = past.slice(0, left === 1 && eulerAtFinal ? 1 : lowerOrderFinal ? left : order);
      const fresh = eta > 0 ? noise(from, to) : undefined;
      if (to.sigma === 0) return firstOrderStep(x, denoised, from, to);
      return dpmSolverStep(x, from, to, used, options, fresh);
    };
  });
}

/** DPM++ 2M: the second order of DPM-Solver++, multistep (arXiv 2211.01095, algorithm 2). */
export function dpmpp2m(): Sampler {
  return dpmSolverMultistep();
}

/** DPM++ 2M SDE: the same with noise (k-diffusion's `dpmpp_2m_sde`). */
export function dpmpp2mSde({
  eta = 1,
  ...options
}: Pick<DpmSolverOptions, 'eta' | 'sNoise' | 'solverType'> = {}): Sampler {
  return dpmSolverMultistep({ ...options, eta });
}

/** DPM++ 3M SDE: the third order with noise, its second derivative weighed by half (k-diffusion's `dpmpp_3m_sde`). */
export function dpmpp3mSde({ eta = 1, sNoise = 1 }: Pick<DpmSolverOptions, 'eta' | 'sNoise'> = {}): Sampler {
  return dpmSolverMultistep({ order: 3, solverType: 'heun', halfCurvature: true, eta, sNoise });
}

/**
 * Refined exponential solver, multistep, of second order (arXiv 2308.02157): the integral of the line through the last two
 * estimates, exactly. ComfyUI's `res_multistep`.
 */
export function resMultistep(): Sampler {
  return dpmSolverMultistep({ solverType: 'heun' });
}
