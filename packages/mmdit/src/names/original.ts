import { sliceView, type TensorView } from '@sd/weights';

/** Modules outside of the blocks, and the table of positions. */
const top: Readonly<Record<string, string>> = {
  'x_embedder.proj': 'pos_embed.proj',
  't_embedder.mlp.0': 'time_text_embed.timestep_embedder.linear_1',
  't_embedder.mlp.2': 'time_text_embed.timestep_embedder.linear_2',
  'y_embedder.mlp.0': 'time_text_embed.text_embedder.linear_1',
  'y_embedder.mlp.2': 'time_text_embed.text_embedder.linear_2',
  'final_layer.adaLN_modulation.1': 'norm_out.linear',
  'final_layer.linear': 'proj_out',
  pos_embed: 'pos_embed.pos_embed',
};

/** Modules of a block, those of the image's tokens and those of the text's. */
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

/** Modules that hold queries, keys and values one after the other. */
const projections: Readonly<Record<string, readonly string[]>> = {
  'x_block.attn.qkv': ['attn.to_q', 'attn.to_k', 'attn.to_v'],
  'x_block.attn2.qkv': ['attn2.to_q', 'attn2.to_k', 'attn2.to_v'],
  'context_block.attn.qkv': ['attn.add_q_proj', 'attn.add_k_proj', 'attn.add_v_proj'],
};

/**
 * The tensors of the original code's `MMDiT`, without `model.diffusion_model.`, by diffusers' names, in place: the rows of
 * queries, keys and values as three tensors. Where diffusers has scale before shift in one matrix and the original has them
 * the other way round, they become two: `norm_out.linear.scale.weight` and `norm_out.linear.shift.weight`. Any other
 * tensor keeps its name.
 * @see github.com/Stability-AI/sd3.5, mmditx.py
 */
export function originalMmditTensors(tensors: ReadonlyMap<string, TensorView>): Map<string, TensorView> {
  const last = Math.max(...[...tensors.keys()].map((name) => Number(/^joint_blocks\.(\d+)\./.exec(name)?.[1] ?? 0)));
  const result = new Map<string, TensorView>();
  for (const [name, view] of tensors) {
    const [, module = name, kind] = /^(.+)\.(weight|bias)$/.exec(name) ?? [];
    const [, block, inner] = /^joint_blocks\.(\d+)\.(.+)$/.exec(module) ?? [];
    for (const [path, part] of divided(view, module, { block, inner, isLast: Number(block) === last })) {
      result.set(kind === undefined ? path : `${path}.${kind}`, part);
    }
  }
  return result;
}

interface Place {
  /** The number of the block, and the module's name in it. */
  readonly block: string | undefined;
  readonly inner: string;
  readonly isLast: boolean;
}

/** The modules of diffusers whose tensors this one holds. */
function divided(view: TensorView, module: string, { block, inner, isLast }: Place): [path: string, TensorView][] {
  const at = `transformer_blocks.${block}`;
  if (block !== undefined && Object.hasOwn(projections, inner)) {
    return rowsOf(
      view,
      projections[inner].map((name) => `${at}.${name}`),
    );
  }
  const path =
    block !== undefined && Object.hasOwn(inBlock, inner)
      ? `${at}.${inBlock[inner]}`
      : Object.hasOwn(top, module)
        ? top[module]
        : module;
  const swapped = path === 'norm_out.linear' || (isLast && path === `${at}.norm1_context.linear`);
  return swapped ? rowsOf(view, [`${path}.shift`, `${path}.scale`]) : [[path, view]];
}

/** A tensor's rows in as many equal parts as there are names. */
function rowsOf(view: TensorView, names: readonly string[]): [name: string, TensorView][] {
  const rows = Math.floor((view.shape[0] ?? 0) / names.length);
  return names.map((name, i) => [name, sliceView(view, i * rows, (i + 1) * rows)]);
}
