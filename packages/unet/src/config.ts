import { CheckpointError, show, UnsupportedError } from '@sd/core';
import type { Config } from '@sd/weights';

/** One level of the U-Net, at one resolution. */
export interface UnetLevel {
  readonly channels: number;
  readonly resnets: number;
  /** Attention heads on the down path and the up path; 0 without attention. */
  readonly downHeads: number;
  readonly upHeads: number;
  /** Transformer blocks in each attention of the down path; one attention follows each residual block. */
  readonly downDepths: readonly number[];
  /** The same on the up path, which has one more residual block. */
  readonly upDepths: readonly number[];
  readonly contextWidth: number;
}

/** SDXL's additional conditioning: the pooled text embedding, and sizes as sinusoids. */
export interface AddedEmbedding {
  /** Width of the sinusoids of one number. */
  readonly timeWidth: number;
  /** Total width: the pooled embedding and the sinusoids of all numbers. */
  readonly width: number;
}

/** The shape of a U-Net, from its `config.json`. */
export interface UnetConfig {
  readonly inChannels: number;
  readonly outChannels: number;
  readonly sampleSize: number;
  readonly levels: readonly UnetLevel[];
  /**
   * Heads and transformer blocks of the mid block, with 0 heads for a single residual block without attention; undefined
   * for a U-Net without a mid block.
   */
  readonly mid: { readonly heads: number; readonly depth: number } | undefined;
  readonly groups: number;
  readonly epsilon: number;
  readonly cosineFirst: boolean;
  readonly frequencyShift: number;
  /** True if attention must be in float32 even in a half-precision graph. */
  readonly upcastAttention: boolean;
  readonly added: AddedEmbedding | undefined;
  /** Width of the guidance scale's embedding in guidance-distilled models such as LCMs; otherwise undefined. */
  readonly guidanceWidth: number | undefined;
}

/**
 * Reads the config of diffusers' `UNet2DConditionModel`, with that class's defaults. Throws an UnsupportedError that names
 * the key and the value for an unsupported variant.
 */
export function unetConfig(config: Config): UnetConfig {
  refuseUnsupported(config);
  const channels = config.counts('block_out_channels', [320, 640, 1280, 1280]);
  const count = channels.length;
  const down = blockTypes(config, 'down_block_types', count, 'DownBlock2D');
  const up = blockTypes(config, 'up_block_types', count, 'UpBlock2D');
  // A naming mistake that stuck: in these configs `attention_head_dim` is the number of heads.
  const headsKey = config.get('num_attention_heads') === undefined ? 'attention_head_dim' : 'num_attention_heads';
  const heads = config.countPerBlock(headsKey, count, 8);
  const resnets = config.countPerBlock('layers_per_block', count, 2, layers);
  const downDepths = depths(config, 'transformer_layers_per_block', resnets);
  const upDepths = depths(
    config,
    config.get(reversed) === undefined ? 'transformer_layers_per_block' : reversed,
    resnets.map((layers) => layers + 1),
    config.get(reversed) !== undefined,
  );
  const contextWidths = config.countPerBlock('cross_attention_dim', count, 1280);
  const groups = config.count('norm_num_groups', 32);
  for (const [i, width] of channels.entries()) {
    config.expectDivides('norm_num_groups', groups, width);
    if (down[i] || up[count - 1 - i]) config.expectDivides(headsKey, heads[i], width);
  }
  return {
    inChannels: config.count('in_channels', 4),
    outChannels: config.count('out_channels', 4),
    sampleSize: config.count('sample_size', 64, { most: 2 ** 14 }),
    levels: channels.map((c, i) => ({
      channels: c,
      resnets: resnets[i],
      downHeads: down[i] ? heads[i] : 0,
      upHeads: up[count - 1 - i] ? heads[i] : 0,
      downDepths: downDepths[i],
      upDepths: upDepths[i],
      contextWidth: contextWidths[i],
    })),
    mid: midBlock(config, heads[count - 1], downDepths[count - 1][0]),
    groups,
    epsilon: config.number('norm_eps', 1e-5, { least: 0, most: 1 }),
    cosineFirst: config.boolean('flip_sin_to_cos', true),
    frequencyShift: config.number('freq_shift', 0, { least: 0, most: 1 }),
    upcastAttention: config.boolean('upcast_attention', false),
    added:
      config.get('addition_embed_type') === undefined
        ? undefined
        : {
            timeWidth: config.count('addition_time_embed_dim'),
            width: config.count('projection_class_embeddings_input_dim'),
          },
    guidanceWidth: config.get('time_cond_proj_dim') === undefined ? undefined : config.count('time_cond_proj_dim'),
  };
}

const reversed = 'reverse_transformer_layers_per_block';

/** Bounds of the layers in a block. */
const layers = { most: 1000 };

const isDepth = (value: unknown) =>
  Number.isSafeInteger(value) && (value as number) >= 0 && (value as number) <= layers.most;

/**
 * Transformer blocks of each attention in each level. The config has one number for all, a number per level, or for a level
 * a list with a number per attention. With `upwards` its lists start at the deepest level.
 */
function depths(config: Config, key: string, attentions: readonly number[], upwards = false): number[][] {
  const value = config.get(key) ?? 1;
  const perLevel = Array.isArray(value) ? (upwards ? value.toReversed() : value) : attentions.map(() => value);
  const all = attentions.map((count, i) => {
    const depth = perLevel[i];
    return Array.isArray(depth) ? depth : new Array(count).fill(depth);
  });
  const fits = all.every((level, i) => level.length === attentions[i] && level.every(isDepth));
  if (perLevel.length === attentions.length && fits) return all;
  throw new CheckpointError(
    'bad-config',
    config.file,
    `${key} is ${show(value)}, which does not fit ${attentions.length} blocks with ${attentions.join(', ')} attentions.`,
  );
}

/** Some small U-Nets have `mid_block_type: null`, and no mid block; `UNetMidBlock2D` has no attention. */
function midBlock(config: Config, heads: number, depth: number): UnetConfig['mid'] {
  if (config.entries().some(([key, value]) => key === 'mid_block_type' && value === null)) return undefined;
  return config.get('mid_block_type') === 'UNetMidBlock2D' ? { heads: 0, depth: 0 } : { heads, depth };
}

/** Whether each block has cross-attention. */
function blockTypes(config: Config, key: string, count: number, plain: string): boolean[] {
  const cross = `CrossAttn${plain}`;
  const types = config.strings(key);
  for (const type of types) {
    if (type !== plain && type !== cross)
      throw new UnsupportedError(`${config.file}: ${key} has ${type}; only ${plain} and ${cross} are supported.`);
  }
  if (types.length !== count) {
    throw new UnsupportedError(
      `${config.file}: ${key} has ${types.length} blocks, but block_out_channels has ${count}.`,
    );
  }
  return types.map((type) => type === cross);
}

function refuseUnsupported(config: Config): void {
  config.only('mid_block_type', 'UNetMidBlock2DCrossAttn', 'UNetMidBlock2D');
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
  config.only('addition_embed_type', 'text_time');
  const extras = [
    'class_embed_type',
    'encoder_hid_dim',
    'encoder_hid_dim_type',
    'cross_attention_norm',
    'num_class_embeds',
    'time_embedding_dim',
    'time_embedding_act_fn',
    'timestep_post_act',
  ];
  for (const extra of extras) config.only(extra, null);
}

/** The keys of a `config.json` of diffusers' `UNet2DConditionModel`, of version 0.42. */
export const unetSettings: readonly string[] = /* @__PURE__ */ (
  'sample_size in_channels out_channels center_input_sample flip_sin_to_cos freq_shift down_block_types mid_block_type ' +
  'up_block_types only_cross_attention block_out_channels layers_per_block downsample_padding mid_block_scale_factor ' +
  'dropout act_fn norm_num_groups norm_eps cross_attention_dim transformer_layers_per_block ' +
  'reverse_transformer_layers_per_block encoder_hid_dim encoder_hid_dim_type attention_head_dim num_attention_heads ' +
  'dual_cross_attention use_linear_projection class_embed_type addition_embed_type addition_time_embed_dim ' +
  'num_class_embeds upcast_attention resnet_time_scale_shift resnet_skip_time_act resnet_out_scale_factor ' +
  'time_embedding_type time_embedding_dim time_embedding_act_fn timestep_post_act time_cond_proj_dim conv_in_kernel ' +
  'conv_out_kernel projection_class_embeddings_input_dim attention_type class_embeddings_concat ' +
  'mid_block_only_cross_attention cross_attention_norm addition_embed_type_num_heads'
).split(' ');
