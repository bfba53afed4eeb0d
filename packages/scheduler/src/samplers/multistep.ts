import type { Sampler } from '@sd/core';
import { adamsBashforth, integrationWeights } from '../interpolation.js';
import { type Coordinates, flowCoordinates } from '../level.js';
import { mix, type Term } from '../vector.js';
import { stepwise } from './stepwise.js';

/** Weights of the slopes dx/dsigma at the last levels, newest first, for a step from the newest to `to`. */
type SlopeWeights = (from: readonly Coordinates[], to: Coordinates) => readonly number[];

/** An explicit linear multistep method for dx/dsigma. Its first steps are of lower order. */
function linearMultistep(order: number, weigh: SlopeWeights): Sampler {
  return stepwise(({ levels }) => {
    const coordinatesOf = flowCoordinates(levels);
    const past: { coordinates: Coordinates; slope: Float32Array }[] = [];
    return (x, denoised, from, to) => {
      const [current, next] = [coordinatesOf(from), coordinatesOf(to)];
      if (current.sigma !== past[0]?.coordinates.sigma) {
        const slope = mix([1 / (current.scale * current.sigma), x], [-1 / current.sigma, denoised]);
        past.unshift({ coordinates: current, slope });
        past.splice(order);
      }
      const weights = weigh(
        past.map(({ coordinates }) => coordinates),
        next,
      );
      return mix(
        [next.scale / current.scale, x],
        ...past.map(({ slope }, k): Term => [next.scale * weights[k], slope]),
      );
    };
  });
}

/**
 * Linear multistep in sigma / alpha: integrates the polynomial through the last `order` slopes (k-diffusion's `lms`;
 * Adams-Bashforth for unequal steps).
 */
export function lms({ order = 4 }: { readonly order?: number } = {}): Sampler {
  return linearMultistep(order, (from, to) =>
    integrationWeights(
      from.map(({ sigma }) => sigma),
      from[0].sigma,
      to.sigma,
      0,
    ),
  );
}

/** Improved PNDM (arXiv 2204.13902, section 3.3): Adams-Bashforth with the weights of equal steps, up to fourth order. */
export function ipndm({ order = 4 }: { readonly order?: number } = {}): Sampler {
  return linearMultistep(Math.min(order, 4), (from, to) =>
    adamsBashforth[from.length - 1].map((weight) => weight * (to.sigma - from[0].sigma)),
  );
}
