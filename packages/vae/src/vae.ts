import { type Backend, expectTensor, lazySession, type Tensor, tensor, type Vae } from '@sd/core';
import { type ModelFolder, type ModelParts, openModel } from '@sd/graph';
import { type VaeConfig, vaeConfig } from './config.js';
import { fitLatentRgb, type LatentRgb, linearPreview } from './linear-preview.js';
import { vaeNames } from './names/diffusers.js';
import { vaeDecoderGraph, vaeEncoderGraph } from './vae-graphs.js';

/** Where the graphs run, and the model: its folder, `vae` if not named, or its weights and config. */
export type LoadVaeOptions = { readonly backend: Backend } & (ModelFolder | ModelParts);

/** An autoencoder from a checkpoint as a stage, and the names of the tensors in its files that it has no use for. */
export interface CheckpointVae extends Vae {
  readonly config: VaeConfig;
  readonly unusedTensors: readonly string[];
  encode: NonNullable<Vae['encode']>;
  /** One pixel a latent, by a linear map that is fitted to this VAE when first asked for. */
  preview: NonNullable<Vae['preview']>;
}

/**
 * Opens an autoencoder in diffusers' layout (`config.json`, `diffusion_pytorch_model.safetensors`) and writes the graphs
 * of its two halves. Nothing is loaded yet: the decoder at first use or by `load()`, the encoder at first use.
 * Throws SourceError, CheckpointError, UnsupportedError.
 */
export async function loadVae({ backend, ...from }: LoadVaeOptions): Promise<CheckpointVae> {
  const stems = ['diffusion_pytorch_model', 'model'];
  const model = await openModel(from, { folder: 'vae', stems, names: vaeNames });
  const { checkpoint } = model;
  const config = vaeConfig(model.config);
  const decoder = lazySession(backend, vaeDecoderGraph(checkpoint, config, backend));
  const encoder = lazySession(backend, vaeEncoderGraph(checkpoint, config, backend));
  const { latentChannels, imageChannels, scalingFactor, shiftFactor } = config;
  const scaleFactor = 2 ** (config.channels.length - 1);

  let rgb: Promise<LatentRgb> | undefined;

  const vae: CheckpointVae = {
    config,
    unusedTensors: checkpoint.unasked(),
    latentChannels,
    scaleFactor,
    load: decoder.load,
    release: async () => void (await Promise.all([decoder.release(), encoder.release()])),
    dispose: async () => void (await Promise.all([decoder.dispose(), encoder.dispose()])),
    async decode(latents, { signal } = {}) {
      expectTensor('The VAE’s latents', latents, 'float32', [-1, latentChannels, -1, -1]);
      const unscaled = latents.data.map((value) => value / scalingFactor + shiftFactor);
      const { sample } = await decoder.run({ latent_sample: tensor('float32', latents.dims, unscaled) }, { signal });
      return sample as Tensor<'float32'>;
    },
    async encode(image, { signal } = {}) {
      expectTensor('The VAE’s picture', image, 'float32', [-1, imageChannels, -1, -1]);
      const { latent_parameters } = await encoder.run({ sample: image }, { signal });
      return distribution(latent_parameters as Tensor<'float32'>, config);
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
function distribution({ dims, data }: Tensor<'float32'>, { latentChannels, scalingFactor, shiftFactor }: VaeConfig) {
  const [batch, , height, width] = dims;
  const shape = [batch, latentChannels, height, width];
  const mean = tensor('float32', shape);
  const std = tensor('float32', shape);
  const size = latentChannels * height * width;
  for (let n = 0; n < batch; n++) {
    for (let i = 0; i < size; i++) {
      const logVariance = Math.min(20, Math.max(-30, data[(2 * n + 1) * size + i]));
      mean.data[n * size + i] = (data[2 * n * size + i] - shiftFactor) * scalingFactor;
      std.data[n * size + i] = Math.exp(0.5 * logVariance) * scalingFactor;
    }
  }
  return { mean, std };
}
