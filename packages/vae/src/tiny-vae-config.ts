import { UnsupportedError } from '@sd/core';
import type { Config } from '@sd/weights';

/** The levels of one half of a tiny autoencoder. */
export type TinyLevels = readonly { readonly channels: number; readonly blocks: number }[];

/** The shape of a tiny autoencoder, from its `config.json`. */
export interface TinyVaeConfig {
  readonly imageChannels: number;
  readonly latentChannels: number;
  /** From the image's resolution down. */
  readonly encoder: TinyLevels;
  /** From the latents' resolution up. */
  readonly decoder: TinyLevels;
  /** The U-Net's latents are the encoder's output times this factor. */
  readonly scalingFactor: number;
}

/**
 * Reads the config of diffusers' `AutoencoderTiny`, with that class's defaults. Throws an UnsupportedError that names the
 * key and the value for an unsupported variant.
 */
export function tinyVaeConfig(config: Config): TinyVaeConfig {
  config.only('act_fn', 'relu');
  config.only('upsample_fn', 'nearest');
  config.only('upsampling_scaling_factor', 2);
  const encoder = levels(config, 'encoder', [1, 3, 3, 3]);
  const decoder = levels(config, 'decoder', [3, 3, 3, 1]);
  if (encoder.length !== decoder.length) {
    throw new UnsupportedError(
      `${config.file}: num_encoder_blocks has ${encoder.length} levels and num_decoder_blocks ${decoder.length}; only equal numbers are supported.`,
    );
  }
  return {
    imageChannels: config.count('in_channels', 3),
    latentChannels: config.count('latent_channels', 4, { most: 2 ** 12 }),
    encoder,
    decoder,
    scalingFactor: config.number('scaling_factor', 1, { least: 1e-6, most: 1e6 }),
  };
}

function levels(config: Config, half: 'encoder' | 'decoder', defaults: readonly number[]): TinyLevels {
  const blocks = config.counts(`num_${half}_blocks`, defaults, { most: 1000 });
  const channels = config.countPerBlock(`${half}_block_out_channels`, blocks.length, 64);
  return blocks.map((count, i) => ({ channels: channels[i], blocks: count }));
}
