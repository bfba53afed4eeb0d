import { axisSize, countBlocks, range, type TensorShapes } from '@sd/weights';

/** Attention heads of each block: their number, or their width, which gives a wider block more of them. */
export type AttentionHeads = { readonly count: number } | { readonly width: number };

type Json = Readonly<Record<string, unknown>>;

/**
 * The `config.json` of a U-Net, or of a ControlNet, that came without one: read off the names and shapes of its tensors
 * in diffusers' layout. `settings` holds the values that no shape tells, and `heads` the attention heads, unless
 * `settings` has them. Throws a CheckpointError that names the file at `path` and a tensor that it lacks.
 */
export function unetConfigFromShapes(
  path: string,
  tensors: TensorShapes,
  settings: Json,
  heads?: AttentionHeads,
): Json {
  const levels = range(countBlocks(tensors, 'down_blocks.'));
  const channels = levels.map((i) => axisSize(path, tensors, `down_blocks.${i}.resnets.0.conv1.weight`, 0));
  const downDepths = levels.map((i) => transformerDepths(tensors, `down_blocks.${i}`));
  const upDepths = levels.map((i) => transformerDepths(tensors, `up_blocks.${i}`));
  const midDepth = countBlocks(tensors, 'mid_block.attentions.0.transformer_blocks.');
  // diffusers takes the mid block's depth from the deepest level. Elsewhere a level without attention may say anything.
  const perLevel = (depths: readonly number[], level: number) =>
    depths.length > 0 ? oneIfEqual(depths) : level === levels.length - 1 ? Math.max(1, midDepth) : 1;
  const contextWidth = [...tensors].find(([name]) => name.endsWith('.attn2.to_k.weight'))?.[1].shape[1];
  const addedWidth = tensors.get('add_embedding.linear_1.weight')?.shape[1];
  const guidanceWidth = tensors.get('time_embedding.cond_proj.weight')?.shape[1];
  return {
    ...settings,
    in_channels: axisSize(path, tensors, 'conv_in.weight', 1),
    // A ControlNet has no `conv_out`.
    out_channels: tensors.get('conv_out.weight')?.shape[0] ?? axisSize(path, tensors, 'conv_in.weight', 1),
    block_out_channels: channels,
    layers_per_block: levels.map((i) => countBlocks(tensors, `down_blocks.${i}.resnets.`)),
    down_block_types: downDepths.map((depths) => (depths.length > 0 ? 'CrossAttnDownBlock2D' : 'DownBlock2D')),
    up_block_types: upDepths.map((depths) => (depths.length > 0 ? 'CrossAttnUpBlock2D' : 'UpBlock2D')),
    ...midBlockType(tensors),
    ...(heads && {
      // A level without attention may be narrower than a head.
      attention_head_dim: channels.map((width) => ('count' in heads ? heads.count : Math.ceil(width / heads.width))),
    }),
    cross_attention_dim: contextWidth,
    transformer_layers_per_block: downDepths.map(perLevel),
    reverse_transformer_layers_per_block: upDepths.map(perLevel),
    ...(addedWidth !== undefined && {
      addition_embed_type: 'text_time',
      projection_class_embeddings_input_dim: addedWidth,
    }),
    ...(guidanceWidth !== undefined && { time_cond_proj_dim: guidanceWidth }),
  };
}

/** Small U-Nets have no mid block, or one residual block without attention in its place. */
function midBlockType(tensors: TensorShapes): Json {
  if (!tensors.has('mid_block.resnets.0.conv1.weight')) return { mid_block_type: null };
  return tensors.has('mid_block.attentions.0.norm.weight') ? {} : { mid_block_type: 'UNetMidBlock2D' };
}

/** The number of transformer blocks in each attention of a block. */
function transformerDepths(tensors: TensorShapes, block: string): number[] {
  return range(countBlocks(tensors, `${block}.attentions.`)).map((i) =>
    countBlocks(tensors, `${block}.attentions.${i}.transformer_blocks.`),
  );
}

function oneIfEqual(values: readonly number[]): number | readonly number[] {
  return values.every((value) => value === values[0]) ? values[0] : values;
}
