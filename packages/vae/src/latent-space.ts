import { type LatentDistribution, type Tensor, tensor } from '@sd/core';

/** How the U-Net's latents are made from those of the autoencoder: less `shift`, times `scale`, for each channel. */
export interface LatentSpace {
  readonly latentChannels: number;
  readonly scale: readonly number[];
  readonly shift: readonly number[];
}

/** Latents of the U-Net's space in that of the autoencoder. */
export function toAutoencoder(latents: Tensor<'float32'>, { scale, shift }: LatentSpace): Tensor<'float32'> {
  return byChannel(latents, (value, c) => value / scale[c] + shift[c]);
}

/** Mean and deviation [n, c, h, w] of the autoencoder in the U-Net's space. */
export function inUnetSpace(
  mean: Tensor<'float32'>,
  deviation: Tensor<'float32'> | undefined,
  { scale, shift }: LatentSpace,
): LatentDistribution {
  return {
    mean: byChannel(mean, (value, c) => (value - shift[c]) * scale[c]),
    ...(deviation && { std: byChannel(deviation, (value, c) => value * scale[c]) }),
    unscaled: mean,
  };
}

/** Mean and log-variance [n, 2 * c, h, w] as mean and deviation in the U-Net's space, the variance clamped as diffusers does. */
export function distribution(parameters: Tensor<'float32'>, space: LatentSpace): LatentDistribution {
  const [mean, logVariance] = halvesOfChannels(parameters, space.latentChannels);
  const deviation = byChannel(logVariance, (value) => Math.exp(0.5 * Math.min(20, Math.max(-30, value))));
  return inUnetSpace(mean, deviation, space);
}

/** [n, 2 * c, h, w] as its first and its last c channels. */
function halvesOfChannels({ dims, data }: Tensor<'float32'>, channels: number): [Tensor<'float32'>, Tensor<'float32'>] {
  const [batch, , height, width] = dims as [number, number, number, number];
  const size = channels * height * width;
  const half = (which: number) => {
    const part = tensor('float32', [batch, channels, height, width]);
    for (let n = 0; n < batch; n++)
      part.data.set(data.subarray((2 * n + which) * size, (2 * n + which + 1) * size), n * size);
    return part;
  };
  return [half(0), half(1)];
}

function byChannel(
  { dims, data }: Tensor<'float32'>,
  change: (value: number, channel: number) => number,
): Tensor<'float32'> {
  const [, channels, height, width] = dims as [number, number, number, number];
  const places = height * width;
  return tensor(
    'float32',
    dims,
    data.map((value, i) => change(value, Math.floor(i / places) % channels)),
  );
}
