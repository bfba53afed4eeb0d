import {
  type Backend,
  expectTensor,
  lazySession,
  type Model,
  type StageResources,
  settleAll,
  type Tensor,
} from '@sd/core';

/** The encoder and the decoder of an autoencoder. */
export interface Halves {
  readonly resources: Required<StageResources>;
  encode(image: Tensor<'float32'>, signal: AbortSignal | undefined): Promise<Tensor<'float32'>>;
  decode(latents: Tensor<'float32'>, signal: AbortSignal | undefined): Promise<Tensor<'float32'>>;
}

export interface HalvesOptions {
  readonly encoder: Model;
  readonly decoder: Model;
  readonly imageChannels: number;
  readonly latentChannels: number;
}

/** Sessions for both halves, created at first use; `load` creates the decoder's. */
export function halvesOf(backend: Backend, { imageChannels, latentChannels, ...models }: HalvesOptions): Halves {
  const encoder = lazySession(backend, models.encoder);
  const decoder = lazySession(backend, models.decoder);
  return {
    resources: {
      load: decoder.load,
      release: async () => void (await settleAll([decoder.release, encoder.release])),
      dispose: async () => void (await settleAll([decoder.dispose, encoder.dispose])),
    },
    async encode(image, signal) {
      expectTensor('The VAE’s image', image, 'float32', [-1, imageChannels, -1, -1]);
      const { latent_parameters } = await encoder.run({ sample: image }, { signal });
      return latent_parameters as Tensor<'float32'>;
    },
    async decode(latents, signal) {
      expectTensor('The VAE’s latents', latents, 'float32', [-1, latentChannels, -1, -1]);
      const { sample } = await decoder.run({ latent_sample: latents }, { signal });
      return sample as Tensor<'float32'>;
    },
  };
}
