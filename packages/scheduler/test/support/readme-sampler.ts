import { type Sampler, throwIfAborted } from '@sd/core';

/** Steps with x0 as it is likely to be halfway: a line through the last two estimates. */
export const halfway: Sampler = async function* (denoise, x, levels, { signal }) {
  let before: { lambda: number; denoised: Float32Array } | undefined;
  for (let i = 0; i < levels.length - 1; i++) {
    throwIfAborted(signal);
    const [from, to] = [levels[i], levels[i + 1]];
    const denoised = await denoise(x, from);
    const lambda = Math.log(from.alpha / from.sigma);
    const last = before;
    const ahead = last && to.sigma > 0 ? (Math.log(to.alpha / to.sigma) - lambda) / (2 * (lambda - last.lambda)) : 0;
    const x0 = last ? denoised.map((value, k) => value + ahead * (value - last.denoised[k])) : denoised;
    const kept = to.sigma / from.sigma;
    x = x.map((value, k) => kept * value + (to.alpha - from.alpha * kept) * x0[k]);
    before = { lambda, denoised };
    yield { x, level: to, denoised };
  }
};
