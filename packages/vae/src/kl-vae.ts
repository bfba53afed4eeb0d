import type { Backend } from '@sd/core';
import type { Checkpoint } from '@sd/weights';
import type { CheckpointVae } from './checkpoint-vae.js';
import type { VaeConfig } from './config.js';
import { halvesOf } from './halves.js';
import { distribution, toAutoencoder } from './latent-space.js';
import { fitLatentRgb, type LatentRgb, linearPreview } from './linear-preview.js';
import { vaeDecoderGraph, vaeEncoderGraph } from './vae-graphs.js';

/** diffusers' `AutoencoderKL` as a stage. Its preview is one pixel a latent, by a linear map that is fitted when first asked for. */
export function klVae(backend: Backend, checkpoint: Checkpoint, config: VaeConfig): CheckpointVae {
  const { imageChannels, latentChannels } = config;
  // In half precision the values of many autoencoders overflow, which gives black pictures.
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
    decode: (latents, { signal } = {}) => halves.decode(toAutoencoder(latents, config), signal),
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
