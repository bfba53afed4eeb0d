import { checkCount, cumprod32, linspace32 } from '../numbers.js';

/** Linear betas (DDPM, arXiv 2006.11239, section 4), in float32 as in diffusers. */
export function linearBetas(count = 1000, start = 0.0001, end = 0.02): Float32Array {
  return linspace32(start, end, checkCount('num_train_timesteps', count));
}

/** Betas with linear square roots, as in Stable Diffusion; in float32 as in diffusers. */
export function scaledLinearBetas(count = 1000, start = 0.00085, end = 0.012): Float32Array {
  return linspace32(Math.sqrt(start), Math.sqrt(end), checkCount('num_train_timesteps', count)).map(
    (root) => root * root,
  );
}

/** Betas of the squared cosine schedule (Improved DDPM, arXiv 2102.09672, eq. 17), each at most `maxBeta`. */
export function cosineBetas(count = 1000, maxBeta = 0.999): Float32Array {
  const alphaBar = (t: number) => {
    const root = Math.cos((((t + 0.008) / 1.008) * Math.PI) / 2);
    return root * root;
  };
  return Float32Array.from({ length: checkCount('num_train_timesteps', count) }, (_, i) =>
    Math.min(1 - alphaBar((i + 1) / count) / alphaBar(i / count), maxBeta),
  );
}

/**
 * Rescales betas so that the last step is pure noise, with alphasCumprod 0 (arXiv 2305.08891, algorithm 1). In
 * float32, with one rounding per operation, as in diffusers.
 */
export function rescaleZeroTerminalSnr(betas: Float32Array): Float32Array {
  const roots = alphasCumprodOf(betas).map(Math.sqrt);
  const [first, last] = [roots[0], roots.at(-1)!];
  const gain = Math.fround(first / Math.fround(first - last));
  const rescaled = roots
    .map((root) => root - last)
    .map((root) => root * gain)
    .map((root) => root * root);
  return rescaled.map((alphaBar, i) => (i === 0 ? alphaBar : alphaBar / rescaled[i - 1])).map((alpha) => 1 - alpha);
}

/** The cumulative product of 1 - beta, in float32: the fraction of an image's variance that is left at each training step. */
export function alphasCumprodOf(betas: Float32Array): Float32Array {
  return cumprod32(betas.map((beta) => 1 - beta));
}
