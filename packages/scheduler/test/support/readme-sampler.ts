import { type Sampler, throwIfAborted } from '@sd/core';

/** Steps with x0 extrapolated to the middle of the step: the line through the last two estimates. */
export const extrapolated: Sampler = async function* (denoise, x, levels, { signal }) {
  let previous: { lambda: number; denoised: Float32Array } | undefined;
  for (let i = 0; i < levels.length - 1; i++) {
    throwIfAborted(signal);
    const [from, to] = [levels[i], levels[i + 1]];
    const denoised = await denoise(x, from);
    const lambda = Math.log(from.alpha / from.sigma);
    let x0 = denoised;
    if (previous !== undefined && to.sigma > 0) {
      const past = previous.denoised;
      const weight = (Math.log(to.alpha / to.sigma) - lambda) / (2 * (lambda - previous.lambda));
      x0 = denoised.map((value, k) => value + weight * (value - past[k]));
    }
    const kept = to.sigma / from.sigma;
    x = x.map((value, k) => kept * value + (to.alpha - from.alpha * kept) * x0[k]);
    previous = { lambda, denoised };
    yield { x, level: to, denoised };
  }
};
