import { type LatentDistribution, type Tensor, tensor } from '@sd/core';

/** The U-Net's latents are `(latents - shift) * scale` of the autoencoder's, per channel. */
export interface LatentSpace {
  readonly latentChannels: number;
  readonly scale: readonly number[];
  readonly shift: readonly number[];
}

/** Converts latents of the U-Net to the autoencoder's. */
export function toAutoencoder(latents: Tensor<'float32'>, { scale, shift }: LatentSpace): Tensor<'float32'> {
  return byChannel(latents, (value, c) => value / scale[c] + shift[c]);
}

/** Converts the autoencoder's mean and standard deviation [n, c, h, w] to latents of the U-Net. */
export function toUnet(
  mean: Tensor<'float32'>,
  deviation: Tensor<'float32'> | undefined,
  { scale, shift }: LatentSpace,
): LatentDistribution {
  return {
    mean: byChannel(mean, (value, c) => (value - shift[c]) * scale[c]),
    std: deviation && byChannel(deviation, (value, c) => value * scale[c]),
    unscaled: mean,
  };
}

/** Converts the autoencoder's mean and log-variance [n, 2 * c, h, w] likewise, clamping the variance as diffusers does. */
export function latentDistribution(parameters: Tensor<'float32'>, space: LatentSpace): LatentDistribution {
  const [mean, logVariance] = splitChannels(parameters, space.latentChannels);
  const deviation = byChannel(logVariance, (value) => Math.exp(0.5 * Math.min(20, Math.max(-30, value))));
  return toUnet(mean, deviation, space);
}

/** Splits [n, 2 * c, h, w] into its first and its last c channels. */
function splitChannels({ dims, data }: Tensor<'float32'>, channels: number): [Tensor<'float32'>, Tensor<'float32'>] {
  const [batch, , height, width] = dims as [number, number, number, number];
  const size = channels * height * width;
  const half = (index: number) => {
    const out = tensor('float32', [batch, channels, height, width]);
    for (let n = 0; n < batch; n++)
      out.data.set(data.subarray((2 * n + index) * size, (2 * n + index + 1) * size), n * size);
    return out;
  };
  return [half(0), half(1)];
}

function byChannel(
  { dims, data }: Tensor<'float32'>,
  change: (value: number, channel: number) => number,
): Tensor<'float32'> {
  const [, channels, height, width] = dims as [number, number, number, number];
  const area = height * width;
  return tensor(
    'float32',
    dims,
    data.map((value, i) => change(value, Math.floor(i / area) % channels)),
  );
}
