import type { Config } from '@sd/weights';

/** One stage of a T2I-Adapter: what it gives is one feature map. */
export interface AdapterStage {
  readonly channels: number;
  /** Whether the map is halved first. */
  readonly halved: boolean;
}

/** The shape of a T2I-Adapter, from its `config.json`. */
export interface T2iAdapterConfig {
  /** Channels of its image: 3, or 1 for sketches. */
  readonly imageChannels: number;
  /** Pixels a side that one place of the first feature map stands for. */
  readonly factor: number;
  readonly stages: readonly AdapterStage[];
  readonly resnets: number;
  /** The light kind works on a quarter of the channels. */
  readonly light: boolean;
}

/** Reads the config of diffusers' `T2IAdapter`, with that class's defaults. Throws an UnsupportedError for another kind. */
export function t2iAdapterConfig(config: Config): T2iAdapterConfig {
  config.only('adapter_type', 'full_adapter', 'full_adapter_xl', 'light_adapter');
  const type = config.string('adapter_type', 'full_adapter');
  const channels = config.counts('channels', [320, 640, 1280, 1280]);
  const light = type === 'light_adapter';
  // A light adapter's last stage repeats the channels before it.
  const all = light ? [...channels, ...channels.slice(-1)] : channels;
  return {
    imageChannels: config.count('in_channels', 3),
    factor: config.count('downscale_factor', 8, { most: 256 }),
    stages: all.map((count, i) => ({ channels: count, halved: type === 'full_adapter_xl' ? i === 2 : i > 0 })),
    resnets: config.count('num_res_blocks', 2, { most: 1000 }),
    light,
  };
}
