import type { Backend } from '@sd/core';
import type { Checkpoint } from '@sd/weights';
import type { CheckpointVae } from './checkpoint-vae.js';
import type { VaeConfig } from './config.js';
import { halvesOf } from './halves.js';
import { latentDistribution, toAutoencoder } from './latent-space.js';
import { fitLatentRgb, type LatentRgb, linearPreview } from './linear-preview.js';
import { vaeDecoderGraph, vaeEncoderGraph } from './vae-graphs.js';
import { vaeWorkingBytes } from './working-memory.js';

/** The stage over diffusers' `AutoencoderKL`. Its preview has one pixel per latent, by a linear map fitted at first use. */
export function klVae(backend: Backend, checkpoint: Checkpoint, config: VaeConfig): CheckpointVae {
  const { imageChannels, latentChannels } = config;
  // Many autoencoders overflow in half precision, and decode black images.
  const options = { provider: backend.provider, features: { ...backend.features, float16: false } };
  const encoder = vaeEncoderGraph(checkpoint, config, options);
  const decoder = vaeDecoderGraph(checkpoint, config, options);
  const halves = halvesOf(backend, { encoder, decoder, imageChannels, latentChannels });
  let rgb: Promise<LatentRgb> | undefined;

  const vae: CheckpointVae = {
    config,
    unusedTensors: checkpoint.unused(),
    latentChannels,
    scaleFactor: 2 ** (config.channels.length - 1),
    ...halves.resources,
    workingBytes: (...shape) => vaeWorkingBytes(config, backend, shape),
    decode: (latents, { signal } = {}) => halves.decode(toAutoencoder(latents, config), signal),
    async encode(image, { signal } = {}) {
      return latentDistribution(await halves.encode(image, signal), config);
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
