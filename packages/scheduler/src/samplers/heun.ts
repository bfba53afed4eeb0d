import type { CountedSampler } from '../create-scheduler.js';
import { flowCoordinates } from '../level.js';
import { mix } from '../vector.js';
import { type Churn, churned } from './churn.js';
import { stepwise, twiceAStep } from './stepwise.js';

/** Heun's second-order method, with optional churn (Karras et al., arXiv 2206.00364, algorithms 1 and 2). Two calls per step, one in a step to the clean image. */
export function heun(churn: Churn = {}): CountedSampler {
  return twiceAStep(
    stepwise(({ levels, denoise }) => {
      const coordinates = flowCoordinates(levels);
      return async (x, denoised, from, to) => {
        const [a, b] = [coordinates(from), coordinates(to)];
        const dt = b.sigma - a.sigma;
        const start = mix([1 / a.scale, x]);
        const d = mix([1 / a.sigma, start], [-1 / a.sigma, denoised]);
        const end = mix([b.scale, start], [b.scale * dt, d]);
        if (to.sigma === 0) return end;
        const second = await denoise(end, to);
        const d2 = mix([1 / (b.sigma * b.scale), end], [-1 / b.sigma, second]);
        return mix([b.scale, start], [(b.scale * dt) / 2, d], [(b.scale * dt) / 2, d2]);
      };
    }, churned(churn)),
  );
}
