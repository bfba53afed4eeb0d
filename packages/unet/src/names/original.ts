import type { NameTable } from '@sd/weights';

/** Modules outside of the blocks. */
const topLevel: Readonly<Record<string, string>> = {
  'time_embed.0': 'time_embedding.linear_1',
  'time_embed.2': 'time_embedding.linear_2',
  'time_embed.cond_proj': 'time_embedding.cond_proj',
  'label_emb.0.0': 'add_embedding.linear_1',
  'label_emb.0.2': 'add_embedding.linear_2',
  'input_blocks.0.0': 'conv_in',
  'out.0': 'conv_norm_out',
  'out.2': 'conv_out',
};

/** Modules of a residual block. */
const resnet: Readonly<Record<string, string>> = {
  'in_layers.0': 'norm1',
  'in_layers.2': 'conv1',
  'emb_layers.1': 'time_emb_proj',
  'out_layers.0': 'norm2',
  'out_layers.3': 'conv2',
  skip_connection: 'conv_shortcut',
};

/** Modules that a ControlNet has besides half a U-Net. In its image embedding, every second layer is an activation. */
const controlNetModules: readonly (readonly [RegExp, (number: number) => string])[] = [
  [/^zero_convs\.(\d+)\.0$/, (number) => `controlnet_down_blocks.${number}`],
  [/^middle_block_out\.(0)$/, () => 'controlnet_mid_block'],
  [/^input_hint_block\.(0)$/, () => 'controlnet_cond_embedding.conv_in'],
  [/^input_hint_block\.(14)$/, () => 'controlnet_cond_embedding.conv_out'],
  [/^input_hint_block\.(\d+)$/, (number) => `controlnet_cond_embedding.blocks.${number / 2 - 1}`],
];

/**
 * Translates tensor names of the original code's `UNetModel`, without `model.diffusion_model.`, to diffusers'; other names
 * are unchanged. The original numbers its blocks consecutively; levels are told apart by their down- and upsamplers.
 * @param names All names in the model.
 * @see github.com/CompVis/stable-diffusion, ldm/modules/diffusionmodules/openaimodel.py
 */
export function originalUnetNames(names: Iterable<string>): (name: string) => string {
  const all = [...names];
  const down = positionsOf(all, /^input_blocks\.(\d+)\.0\.op\./, 1);
  const up = positionsOf(all, /^output_blocks\.(\d+)\.[12]\.conv\./, 0);
  return byModule((module): string | undefined => {
    if (Object.hasOwn(topLevel, module)) return topLevel[module];
    const [, side, number, branch, inner] = /^(input|output)_blocks\.(\d+)\.(\d)\.(.+)$/.exec(module) ?? [];
    if (inner === undefined) return inMidBlock(module);
    const { level, index } = (side === 'input' ? down : up)(Number(number));
    const blocks = `${side === 'input' ? 'down' : 'up'}_blocks.${level}`;
    if (inner === 'op') return `${blocks}.downsamplers.0.conv`;
    if (inner === 'conv') return `${blocks}.upsamplers.0.conv`;
    return branch === '0' ? inResnet(`${blocks}.resnets.${index}`, inner) : `${blocks}.attentions.${index}.${inner}`;
  });
}

/**
 * Translates tensor names of the original ControlNet, without `control_model.`, to diffusers'.
 * @see github.com/lllyasviel/ControlNet, cldm/cldm.py
 */
export function originalControlNetNames(names: Iterable<string>): NameTable {
  const unet = originalUnetNames(names);
  const control = byModule((module) => {
    for (const [pattern, translate] of controlNetModules) {
      const match = pattern.exec(module);
      if (match !== null) return translate(Number(match[1]));
    }
    return undefined;
  });
  return (name) => unet(control(name));
}

function inMidBlock(module: string): string | undefined {
  const [, number, inner] = /^middle_block\.(\d)\.(.+)$/.exec(module) ?? [];
  if (inner === undefined) return undefined;
  return number === '1'
    ? `mid_block.attentions.0.${inner}`
    : inResnet(`mid_block.resnets.${Number(number) / 2}`, inner);
}

function inResnet(at: string, module: string): string | undefined {
  return Object.hasOwn(resnet, module) ? `${at}.${resnet[module]}` : undefined;
}

/** Translates the module in a tensor's name, and keeps `.weight` or `.bias`. */
function byModule(translate: (module: string) => string | undefined): (name: string) => string {
  return (name) => {
    const [, module, kind] = /^(.+)\.(weight|bias)$/.exec(name) ?? [];
    const result = module === undefined ? undefined : translate(module);
    return result === undefined ? name : `${result}.${kind}`;
  };
}

/** Finds a block's level, and its index in it. Blocks count from `first`, and those that match `ends` end a level. */
function positionsOf(names: readonly string[], ends: RegExp, first: number) {
  const last = [...new Set(names.flatMap((name) => ends.exec(name)?.[1] ?? []).map(Number))].sort((a, b) => a - b);
  return (number: number): { level: number; index: number } => {
    let [level, high] = [0, last.length];
    while (level < high) {
      const middle = (level + high) >> 1;
      if (last[middle] < number) level = middle + 1;
      else high = middle;
    }
    const start = level === 0 ? first : Math.max(first, last[level - 1] + 1);
    return { level, index: number - start };
  };
}
