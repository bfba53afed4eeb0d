import { type Denoiser, torchCpu } from '@sd/core';

/** A component of a mixture of isotropic Gaussians. */
export interface MixtureComponent {
  readonly weight: number;
  readonly mean: readonly number[];
  readonly std: number;
}

/** Two Gaussians of different width in the plane, for tests. Mean (0.1, 0.28), variances 0.8925 and 0.2325. */
export const exampleMixture: readonly MixtureComponent[] = [
  { weight: 0.6, mean: [0.8, 0.6], std: 0.35 },
  { weight: 0.4, mean: [-0.95, -0.2], std: 0.25 },
];

/**
 * The exact denoiser of a mixture of isotropic Gaussians: E[x0 | x]. A sample is any number of points in sequence, each of
 * the mixture's dimension. Uses only alpha and sigma, not the timestep.
 */
export function mixtureDenoiser(components: readonly MixtureComponent[] = exampleMixture): Denoiser {
  const size = components[0].mean.length;
  return async (x, { alpha, sigma }) => {
    const x0 = x.slice();
    for (let start = 0; start < x.length; start += size) {
      const posteriors = components.map(({ weight, mean, std }) => {
        const variance = (alpha * std) ** 2 + sigma ** 2;
        const distance = mean.reduce((sum, m, k) => sum + (x[start + k] - alpha * m) ** 2, 0);
        const logDensity = Math.log(weight) - distance / (2 * variance) - (size / 2) * Math.log(variance);
        return { mean, logDensity, pull: (alpha * std ** 2) / variance };
      });
      const top = Math.max(...posteriors.map(({ logDensity }) => logDensity));
      const weights = posteriors.map(({ logDensity }) => Math.exp(logDensity - top));
      const total = weights.reduce((sum, weight) => sum + weight, 0);
      for (let k = 0; k < size; k++) {
        const terms = posteriors.map(
          ({ mean, pull }, j) => (weights[j] / total) * (mean[k] + pull * (x[start + k] - alpha * mean[k])),
        );
        x0[start + k] = terms.reduce((sum, term) => sum + term, 0);
      }
    }
    return x0;
  };
}

/** A denoiser that always returns the same image. */
export function constantDenoiser(image: Float32Array): Denoiser {
  return async () => image.slice();
}

/** A reproducible source of standard normal numbers, `size` per call. */
export function testNoise(seed: number, size: number): () => Float32Array {
  const random = torchCpu(seed);
  return () => random.randn(size);
}
