/**
 * DPM-Solver++(2M), algorithm 2 of arXiv 2211.01095: each step also uses the previous step's estimate.
 * @type {import('@sd/core').Sampler}
 */
export async function* secondOrder(denoise, x, levels, { signal }) {
  const lambda = ({ alpha, sigma }) => Math.log(alpha / sigma);
  let previous;
  for (let i = 0; i < levels.length - 1; i++) {
    signal?.throwIfAborted();
    const [from, to] = [levels[i], levels[i + 1]];
    const denoised = await denoise(x, from);
    const h = lambda(to) - lambda(from);
    const ratio = previous === undefined || !Number.isFinite(h) ? 0 : h / (2 * previous.h);
    const estimate = denoised.map((value, k) => value + (ratio === 0 ? 0 : ratio * (value - previous.denoised[k])));
    x = x.map((value, k) => (to.sigma / from.sigma) * value - to.alpha * Math.expm1(-h) * estimate[k]);
    previous = { denoised, h };
    yield { x, level: to, denoised };
  }
}
