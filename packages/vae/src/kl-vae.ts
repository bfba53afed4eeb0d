import { type Backend, type LatentDistribution, type Tensor, tensor } from '@sd/core';
import type { Checkpoint } from '@sd/graph';
import type { CheckpointVae } from './checkpoint-vae.js';
import type { VaeConfig } from './config.js';
import { halvesOf } from './halves.js';
import { fitLatentRgb, type LatentRgb, linearPreview } from './linear-preview.js';
import { vaeDecoderGraph, vaeEncoderGraph } from './vae-graphs.js';

/** diffusers' `AutoencoderKL` as a stage. Its preview is one pixel a latent, by a linear map that is fitted when first asked for. */
export function klVae(backend: Backend, checkpoint: Checkpoint, config: VaeConfig): CheckpointVae {
  const { imageChannels, latentChannels, scale, shift } = config;
  const encoder = vaeEncoderGraph(checkpoint, config, backend);
  const decoder = vaeDecoderGraph(checkpoint, config, backend);
  const halves = halvesOf(backend, { encoder, decoder, imageChannels, latentChannels });
  let rgb: Promise<LatentRgb> | undefined;

  const vae: CheckpointVae = {
    config,
    unusedTensors: checkpoint.unasked(),
    latentChannels,
    scaleFactor: 2 ** (config.channels.length - 1),
    ...halves.resources,
    decode: (latents, { signal } = {}) =>
      halves.decode(
        byChannel(latents, (value, c) => value / scale[c] + shift[c]),
        signal,
      ),
    async encode(image, { signal } = {}) {
      return distribution(await halves.encode(image, signal), config);
    },
    async preview(latents, { signal } = {}) {
      rgb ??= fitLatentRgb(vae, { signal });
      rgb.catch(() => {
        rgb = undefined;
      });
      return linearPreview(latents, await rgb);
    },
  };
  return vae;
}

/** Mean and log-variance [n, 2 * c, h, w] as mean and deviation in the U-Net's space, the variance clamped as diffusers does. */
function distribution(parameters: Tensor<'float32'>, { latentChannels, scale, shift }: VaeConfig): LatentDistribution {
  const [unscaled, logVariance] = halvesOfChannels(parameters, latentChannels);
  const deviation = (value: number) => Math.exp(0.5 * Math.min(20, Math.max(-30, value)));
  return {
    mean: byChannel(unscaled, (value, c) => (value - shift[c]) * scale[c]),
    std: byChannel(logVariance, (value, c) => deviation(value) * scale[c]),
    unscaled,
  };
}

/** [n, 2 * c, h, w] as its first and its last c channels. */
function halvesOfChannels({ dims, data }: Tensor<'float32'>, channels: number): [Tensor<'float32'>, Tensor<'float32'>] {
  const [batch, , height, width] = dims;
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
  const [, channels, height, width] = dims;
  const places = height * width;
  return tensor(
    'float32',
    dims,
    data.map((value, i) => change(value, Math.floor(i / places) % channels)),
  );
}
