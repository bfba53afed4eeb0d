import { UnsupportedError } from '@sd/core';
import type { Config } from '@sd/weights';

/** The shape of an autoencoder, from its `config.json`. */
export interface VaeConfig {
  readonly imageChannels: number;
  readonly latentChannels: number;
  /** Channels of each level, starting at the image's resolution. */
  readonly channels: readonly number[];
  readonly layersPerBlock: number;
  readonly groups: number;
  readonly midAttention: boolean;
  readonly quantConv: boolean;
  readonly postQuantConv: boolean;
  /** The U-Net's latents are `(latents - shift) * scale` of the encoder's, per channel. */
  readonly scale: readonly number[];
  readonly shift: readonly number[];
}

/**
 * Reads the config of diffusers' `AutoencoderKL`, with that class's defaults. Throws an UnsupportedError that names the key
 * and the value for an unsupported variant.
 */
export function vaeConfig(config: Config): VaeConfig {
  const channels = config.counts('block_out_channels', [64], { most: 2 ** 16 });
  for (const [key, type] of [
    ['down_block_types', 'DownEncoderBlock2D'],
    ['up_block_types', 'UpDecoderBlock2D'],
  ]) {
    const types = config.strings(key, [type]);
    if (types.length !== channels.length || types.some((name) => name !== type)) {
      throw new UnsupportedError(
        `${config.file}: ${key} is ${types.join(', ')}; only ${channels.length} times ${type} is supported.`,
      );
    }
  }
  config.only('act_fn', 'silu');
  const latentChannels = config.count('latent_channels', 4, { most: 2 ** 12 });
  const groups = config.count('norm_num_groups', 32);
  for (const width of channels) config.expectDivides('norm_num_groups', groups, width);
  return {
    imageChannels: config.count('in_channels', 3),
    latentChannels,
    channels,
    layersPerBlock: config.count('layers_per_block', 1, { most: 1000 }),
    groups,
    midAttention: config.boolean('mid_block_add_attention', true),
    quantConv: config.boolean('use_quant_conv', true),
    postQuantConv: config.boolean('use_post_quant_conv', true),
    ...latentScaling(config, latentChannels),
  };
}

/** The scale and shift of each latent channel; `defaultFactor` is for a config without `scaling_factor`. */
export function latentScaling(
  config: Config,
  latentChannels: number,
  defaultFactor = 0.18215,
): Pick<VaeConfig, 'scale' | 'shift'> {
  const factor = config.number('scaling_factor', defaultFactor, { least: 1e-6, most: 1e6 });
  const means = config.perBlock('latents_mean', latentChannels, 0, { least: -1e6, most: 1e6 });
  const deviations = config.perBlock('latents_std', latentChannels, 1, { least: 1e-6, most: 1e6 });
  const shift = config.number('shift_factor', 0, { least: -1e6, most: 1e6 });
  return { scale: deviations.map((deviation) => factor / deviation), shift: means.map((mean) => mean + shift) };
}

/** The keys of a `config.json` of diffusers' `AutoencoderKL` or `AutoencoderTiny`, of version 0.42. */
export const vaeSettings: readonly string[] = /* @__PURE__ */ (
  'in_channels out_channels down_block_types up_block_types block_out_channels layers_per_block act_fn latent_channels ' +
  'norm_num_groups sample_size scaling_factor shift_factor latents_mean latents_std force_upcast use_quant_conv ' +
  'use_post_quant_conv mid_block_add_attention encoder_block_out_channels decoder_block_out_channels upsample_fn ' +
  'upsampling_scaling_factor num_encoder_blocks num_decoder_blocks latent_magnitude latent_shift'
).split(' ');
