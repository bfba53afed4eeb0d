import { UnsupportedError } from '@sd/core';
import type { Config } from '@sd/graph';

/** One level of the U-Net: its channels and what stands in it. */
export interface UnetLevel {
  readonly channels: number;
  readonly resnets: number;
  /** Heads of its attention, or 0 where it has none on the way down or up. */
  readonly downHeads: number;
  readonly upHeads: number;
  /** Transformer blocks in each attention. */
  readonly depth: number;
  readonly contextWidth: number;
}

/** The shape of a U-Net, from its `config.json`. */
export interface UnetConfig {
  readonly inChannels: number;
  readonly outChannels: number;
  readonly sampleSize: number;
  readonly levels: readonly UnetLevel[];
  readonly midHeads: number;
  readonly groups: number;
  readonly epsilon: number;
  readonly cosineFirst: boolean;
  readonly frequencyShift: number;
}

/**
 * Reads the config of diffusers' `UNet2DConditionModel`, with that class's defaults. Throws an UnsupportedError for
 * what this version has no graph for, naming the key and the value.
 */
export function unetConfig(config: Config): UnetConfig {
  refuseUnsupported(config);
  const channels = config.numbers('block_out_channels', [320, 640, 1280, 1280]);
  const count = channels.length;
  const down = blockTypes(config, 'down_block_types', count, 'DownBlock2D');
  const up = blockTypes(config, 'up_block_types', count, 'UpBlock2D');
  // In these configs `attention_head_dim` is the number of heads, under a name that stuck.
  const heads = config.perBlock(
    config.get('num_attention_heads') === undefined ? 'attention_head_dim' : 'num_attention_heads',
    count,
    8,
  );
  const depths = config.perBlock('transformer_layers_per_block', count, 1);
  const resnets = config.perBlock('layers_per_block', count, 2);
  const contextWidths = config.perBlock('cross_attention_dim', count, 1280);
  return {
    inChannels: config.number('in_channels', 4),
    outChannels: config.number('out_channels', 4),
    sampleSize: config.number('sample_size', 64),
    levels: channels.map((c, i) => ({
      channels: c,
      resnets: resnets[i],
      downHeads: down[i] ? heads[i] : 0,
      upHeads: up[count - 1 - i] ? heads[i] : 0,
      depth: depths[i],
      contextWidth: contextWidths[i],
    })),
    midHeads: heads[count - 1],
    groups: config.number('norm_num_groups', 32),
    epsilon: config.number('norm_eps', 1e-5),
    cosineFirst: config.boolean('flip_sin_to_cos', true),
    frequencyShift: config.number('freq_shift', 0),
  };
}

/** For each block, does it attend to the text? */
function blockTypes(config: Config, key: string, count: number, plain: string): boolean[] {
  const cross = `CrossAttn${plain}`;
  const types = config.strings(key);
  for (const type of types) {
    if (type !== plain && type !== cross)
      throw new UnsupportedError(`${config.file}: ${key} has ${type}; this version knows ${plain} and ${cross}.`);
  }
  if (types.length !== count) {
    throw new UnsupportedError(`${config.file}: ${key} has ${types.length} blocks, block_out_channels has ${count}.`);
  }
  return types.map((type) => type === cross);
}

function refuseUnsupported(config: Config): void {
  config.only('mid_block_type', 'UNetMidBlock2DCrossAttn');
  config.only('act_fn', 'silu');
  config.only('conv_in_kernel', 3);
  config.only('conv_out_kernel', 3);
  config.only('downsample_padding', 1);
  config.only('mid_block_scale_factor', 1);
  config.only('resnet_out_scale_factor', 1);
  config.only('resnet_time_scale_shift', 'default');
  config.only('time_embedding_type', 'positional');
  config.only('attention_type', 'default');
  for (const flag of [
    'center_input_sample',
    'dual_cross_attention',
    'only_cross_attention',
    'resnet_skip_time_act',
    'mid_block_only_cross_attention',
    'class_embeddings_concat',
  ]) {
    config.only(flag, false);
  }
  const extras = [
    'addition_embed_type',
    'class_embed_type',
    'encoder_hid_dim',
    'encoder_hid_dim_type',
    'cross_attention_norm',
    'num_class_embeds',
    'time_cond_proj_dim',
    'time_embedding_dim',
    'time_embedding_act_fn',
    'timestep_post_act',
    'reverse_transformer_layers_per_block',
  ];
  for (const extra of extras) config.only(extra, null);
}
