import type { Config } from '@sd/weights';

/** The shape of a motion adapter, from its `config.json`. */
export interface MotionConfig {
  readonly heads: number;
  readonly groups: number;
  /** The most frames that its positions can distinguish. */
  readonly maxFrames: number;
}

/** Reads the config of diffusers' `MotionAdapter`, with that class's defaults. */
export function motionConfig(config: Config): MotionConfig {
  config.only('conv_in_channels', null);
  return {
    heads: config.count('motion_num_attention_heads', 8),
    groups: config.count('motion_norm_num_groups', 32),
    maxFrames: config.count('motion_max_seq_length', 32, { most: 2 ** 12 }),
  };
}
