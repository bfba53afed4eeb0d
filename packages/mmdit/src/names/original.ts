import { sliceView, type TensorView } from '@sd/weights';

/** Modules outside the blocks, and the table of position embeddings. */
const outsideBlocks: Readonly<Record<string, string>> = {
  'x_embedder.proj': 'pos_embed.proj',
  't_embedder.mlp.0': 'time_text_embed.timestep_embedder.linear_1',
  't_embedder.mlp.2': 'time_text_embed.timestep_embedder.linear_2',
  'y_embedder.mlp.0': 'time_text_embed.text_embedder.linear_1',
  'y_embedder.mlp.2': 'time_text_embed.text_embedder.linear_2',
  'final_layer.adaLN_modulation.1': 'norm_out.linear',
  'final_layer.linear': 'proj_out',
  pos_embed: 'pos_embed.pos_embed',
};

/** Modules of a block, for the image's tokens and for the text's. */
const inBlock: Readonly<Record<string, string>> = {
  'x_block.adaLN_modulation.1': 'norm1.linear',
  'x_block.attn.ln_q': 'attn.norm_q',
  'x_block.attn.ln_k': 'attn.norm_k',
  'x_block.attn.proj': 'attn.to_out.0',
  'x_block.attn2.ln_q': 'attn2.norm_q',
  'x_block.attn2.ln_k': 'attn2.norm_k',
  'x_block.attn2.proj': 'attn2.to_out.0',
  'x_block.mlp.fc1': 'ff.net.0.proj',
  'x_block.mlp.fc2': 'ff.net.2',
  'context_block.adaLN_modulation.1': 'norm1_context.linear',
  'context_block.attn.ln_q': 'attn.norm_added_q',
  'context_block.attn.ln_k': 'attn.norm_added_k',
  'context_block.attn.proj': 'attn.to_add_out',
  'context_block.mlp.fc1': 'ff_context.net.0.proj',
  'context_block.mlp.fc2': 'ff_context.net.2',
};

/** Modules that hold the projections to queries, keys and values, concatenated. */
const projections: Readonly<Record<string, readonly string[]>> = {
  'x_block.attn.qkv': ['attn.to_q', 'attn.to_k', 'attn.to_v'],
  'x_block.attn2.qkv': ['attn2.to_q', 'attn2.to_k', 'attn2.to_v'],
  'context_block.attn.qkv': ['attn.add_q_proj', 'attn.add_k_proj', 'attn.add_v_proj'],
};

/**
 * Renames the tensors of the original code's `MMDiT`, without `model.diffusion_model.`, to diffusers' names. Queries, keys
 * and values become three views of the same bytes. Where diffusers has scale before shift in one matrix and the original
 * the reverse, they become two views: `norm_out.linear.scale.weight` and `norm_out.linear.shift.weight`. Any other tensor
 * keeps its name.
 * @see github.com/Stability-AI/sd3.5, mmditx.py
 */
export function originalMmditTensors(tensors: ReadonlyMap<string, TensorView>): Map<string, TensorView> {
  let last = 0;
  for (const name of tensors.keys()) last = Math.max(last, Number(/^joint_blocks\.(\d+)\./.exec(name)?.[1] ?? 0));
  const result = new Map<string, TensorView>();
  for (const [name, view] of tensors) {
    const [, module = name, kind] = /^(.+)\.(weight|bias)$/.exec(name) ?? [];
    const [, block, inner] = /^joint_blocks\.(\d+)\.(.+)$/.exec(module) ?? [];
    for (const [path, slice] of splitModule(view, module, { block, inner, isLast: Number(block) === last })) {
      result.set(kind === undefined ? path : `${path}.${kind}`, slice);
    }
  }
  return result;
}

interface BlockModule {
  /** The index of the block, and the module's name in it. */
  readonly block: string | undefined;
  readonly inner: string;
  readonly isLast: boolean;
}

/** Splits a module's tensor into those of diffusers' modules. */
function splitModule(
  view: TensorView,
  module: string,
  { block, inner, isLast }: BlockModule,
): [path: string, TensorView][] {
  const at = `transformer_blocks.${block}`;
  if (block !== undefined && Object.hasOwn(projections, inner)) {
    return splitRows(
      view,
      projections[inner].map((name) => `${at}.${name}`),
    );
  }
  const path =
    block !== undefined && Object.hasOwn(inBlock, inner)
      ? `${at}.${inBlock[inner]}`
      : Object.hasOwn(outsideBlocks, module)
        ? outsideBlocks[module]
        : module;
  const swapped = path === 'norm_out.linear' || (isLast && path === `${at}.norm1_context.linear`);
  return swapped ? splitRows(view, [`${path}.shift`, `${path}.scale`]) : [[path, view]];
}

/** Splits a tensor's rows equally among the names. */
function splitRows(view: TensorView, names: readonly string[]): [name: string, TensorView][] {
  const rows = Math.floor((view.shape[0] ?? 0) / names.length);
  return names.map((name, i) => [name, sliceView(view, i * rows, (i + 1) * rows)]);
}
