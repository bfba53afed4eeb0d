/** A module of a file that may hold a layer's change. */
export interface Candidate {
  /** With underscores in place of dots. */
  readonly module: string;
  /** Where the layer is one of several whose rows the module has, one after the other. */
  readonly part?: { readonly index: number; readonly count: number };
  /** For a layer that is read in halves: whether the file has them in the other order. */
  readonly swapped?: boolean;
}

/** Modules outside the blocks, by diffusers' names. */
const outside: Readonly<Record<string, string>> = {
  pos_embed_proj: 'x_embedder_proj',
  time_text_embed_timestep_embedder_linear_1: 't_embedder_mlp_0',
  time_text_embed_timestep_embedder_linear_2: 't_embedder_mlp_2',
  time_text_embed_text_embedder_linear_1: 'y_embedder_mlp_0',
  time_text_embed_text_embedder_linear_2: 'y_embedder_mlp_2',
  norm_out_linear: 'final_layer_adaLN_modulation_1',
  proj_out: 'final_layer_linear',
};

/** Modules of a block. */
const inBlock: Readonly<Record<string, string>> = {
  norm1_linear: 'x_block_adaLN_modulation_1',
  norm1_context_linear: 'context_block_adaLN_modulation_1',
  attn_norm_q: 'x_block_attn_ln_q',
  attn_norm_k: 'x_block_attn_ln_k',
  attn_norm_added_q: 'context_block_attn_ln_q',
  attn_norm_added_k: 'context_block_attn_ln_k',
  attn_to_out_0: 'x_block_attn_proj',
  attn_to_add_out: 'context_block_attn_proj',
  attn2_norm_q: 'x_block_attn2_ln_q',
  attn2_norm_k: 'x_block_attn2_ln_k',
  attn2_to_out_0: 'x_block_attn2_proj',
  ff_net_0_proj: 'x_block_mlp_fc1',
  ff_net_2: 'x_block_mlp_fc2',
  ff_context_net_0_proj: 'context_block_mlp_fc1',
  ff_context_net_2: 'context_block_mlp_fc2',
};

/** Modules that hold the projections to queries, keys and values, one after the other. */
const projections: readonly (readonly [module: string, layers: readonly string[]])[] = [
  ['x_block_attn_qkv', ['attn_to_q', 'attn_to_k', 'attn_to_v']],
  ['x_block_attn2_qkv', ['attn2_to_q', 'attn2_to_k', 'attn2_to_v']],
  ['context_block_attn_qkv', ['attn_add_q_proj', 'attn_add_k_proj', 'attn_add_v_proj']],
];

/**
 * The original code's names of a module of Stable Diffusion 3's transformer, from diffusers' name, both with underscores.
 * Where diffusers has scale before shift in one matrix, the original has the reverse, and a checkpoint in the original
 * layout is read as two layers.
 * @see github.com/Stability-AI/sd3.5, mmditx.py
 */
export function originalTransformerModules(module: string): readonly Candidate[] {
  const [, whole, half] = /^(.*(?:norm_out|norm1_context)_linear)_(scale|shift)$/.exec(module) ?? [];
  if (whole !== undefined) {
    const index = half === 'scale' ? 0 : 1;
    const others = originalTransformerModules(whole).map((other) => ({
      module: other.module,
      part: { index: 1 - index, count: 2 },
    }));
    return [{ module: whole, part: { index, count: 2 } }, ...others];
  }
  if (Object.hasOwn(outside, module)) return [{ module: outside[module], swapped: module === 'norm_out_linear' }];
  const [, block, inner] = /^transformer_blocks_(\d+)_(.+)$/.exec(module) ?? [];
  if (block === undefined) return [];
  const at = `joint_blocks_${block}_`;
  if (Object.hasOwn(inBlock, inner))
    return [{ module: at + inBlock[inner], swapped: inner === 'norm1_context_linear' }];
  return projections.flatMap(([name, layers]) => {
    const index = layers.indexOf(inner);
    return index < 0 ? [] : { module: at + name, part: { index, count: layers.length } };
  });
}
