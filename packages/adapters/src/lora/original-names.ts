/** Modules outside of the blocks, by diffusers' names with underscores. */
const top: Readonly<Record<string, string>> = {
  time_embedding_linear_1: 'time_embed_0',
  time_embedding_linear_2: 'time_embed_2',
  add_embedding_linear_1: 'label_emb_0_0',
  add_embedding_linear_2: 'label_emb_0_2',
  conv_in: 'input_blocks_0_0',
  conv_norm_out: 'out_0',
  conv_out: 'out_2',
};

const resnet: Readonly<Record<string, string>> = {
  norm1: 'in_layers_0',
  conv1: 'in_layers_2',
  time_emb_proj: 'emb_layers_1',
  norm2: 'out_layers_0',
  conv2: 'out_layers_3',
  conv_shortcut: 'skip_connection',
};

/**
 * Gives the original code's names for a U-Net's modules, as LoRA files for SDXL have them, from diffusers' names, both with
 * underscores. The original numbers its blocks through, so modules must be asked for in the order of the graph.
 * @see github.com/CompVis/stable-diffusion, ldm/modules/diffusionmodules/openaimodel.py
 */
export function originalModules(): (module: string) => readonly string[] {
  const blocks = new Map<string, number>();
  const counts = { down: 1, up: 0 };
  const numberOf = (side: 'down' | 'up', block: string): number => {
    const number = blocks.get(block) ?? counts[side]++;
    blocks.set(block, number);
    return number;
  };
  return (module) => {
    if (Object.hasOwn(top, module)) return [top[module]];
    const middle = /^mid_block_(resnets|attentions)_(\d)_(.+)$/.exec(module);
    if (middle !== null) {
      const [, kind, index, inner] = middle as unknown as [string, string, string, string];
      return kind === 'attentions'
        ? [`middle_block_1_${inner}`]
        : [`middle_block_${2 * Number(index)}_${inResnet(inner)}`];
    }
    const [, side, level, kind, index, inner] =
      /^(down|up)_blocks_(\d+)_(resnets|attentions|downsamplers|upsamplers)_(\d+)_(.+)$/.exec(module) ?? [];
    if (inner === undefined) return [];
    if (side === 'down') {
      if (kind === 'downsamplers') return [`input_blocks_${numberOf('down', `down ${level} end`)}_0_op`];
      const number = numberOf('down', `down ${level} ${index}`);
      return [`input_blocks_${number}_${kind === 'resnets' ? `0_${inResnet(inner)}` : `1_${inner}`}`];
    }
    // An upsampler stands in the last block of its level, after that block's attention if it has one.
    if (kind === 'upsamplers') return [1, 2].map((place) => `output_blocks_${counts.up - 1}_${place}_conv`);
    const number = numberOf('up', `up ${level} ${index}`);
    return [`output_blocks_${number}_${kind === 'resnets' ? `0_${inResnet(inner)}` : `1_${inner}`}`];
  };
}

function inResnet(inner: string): string {
  return Object.hasOwn(resnet, inner) ? resnet[inner] : inner;
}
