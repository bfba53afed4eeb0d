import { type UnetConfig, unetConfig } from '@sd/unet';
import { Config } from '@sd/weights';

/** The shape of a ControlNet, from its `config.json`. */
export interface ControlNetConfig {
  /** Of the half of a U-Net that it is. */
  readonly unet: UnetConfig;
  /** Channels of its image. */
  readonly imageChannels: number;
  /** Channels of the layers that read the image; every one after the first halves it. */
  readonly imageLevels: readonly number[];
  /** Whether it takes blue first. */
  readonly bgr: boolean;
  /** Whether it gives one value per channel, for the whole image. */
  readonly pooled: boolean;
}

/** Reads the config of diffusers' `ControlNetModel`, with that class's defaults. Throws as `unetConfig`. */
export function controlNetConfig(config: Config): ControlNetConfig {
  const down = config.strings('down_block_types', [
    'CrossAttnDownBlock2D',
    'CrossAttnDownBlock2D',
    'CrossAttnDownBlock2D',
    'DownBlock2D',
  ]);
  config.only('controlnet_conditioning_channel_order', 'rgb', 'bgr');
  // A ControlNet has no up path, which a U-Net's config describes.
  const whole = {
    ...Object.fromEntries(config.entries()),
    down_block_types: down,
    up_block_types: down.map((type) => type.replace('Down', 'Up')).reverse(),
  };
  return {
    unet: unetConfig(new Config(config.file, whole)),
    imageChannels: config.count('conditioning_channels', 3),
    imageLevels: config.counts('conditioning_embedding_out_channels', [16, 32, 96, 256]),
    bgr: config.get('controlnet_conditioning_channel_order') === 'bgr',
    pooled: config.boolean('global_pool_conditions', false),
  };
}
