import type { NameTable } from '@sd/weights';

/** Parts of names in the original code, and in diffusers. */
const parts: readonly (readonly [RegExp, string])[] = [
  [/\.mid\.block_1\./, '.mid_block.resnets.0.'],
  [/\.mid\.block_2\./, '.mid_block.resnets.1.'],
  [/\.mid\.attn_1\.norm\./, '.mid_block.attentions.0.group_norm.'],
  [/\.mid\.attn_1\.([qkv])\./, '.mid_block.attentions.0.to_$1.'],
  [/\.mid\.attn_1\.proj_out\./, '.mid_block.attentions.0.to_out.0.'],
  [/\.down\.(\d+)\.block\./, '.down_blocks.$1.resnets.'],
  [/\.down\.(\d+)\.downsample\./, '.down_blocks.$1.downsamplers.0.'],
  [/(\.up\.\d+)\.block\./, '$1.resnets.'],
  [/(\.up\.\d+)\.upsample\./, '$1.upsamplers.0.'],
  [/\.nin_shortcut\./, '.conv_shortcut.'],
  [/\.norm_out\./, '.conv_norm_out.'],
];

/**
 * Translates tensor names of the original code's `AutoencoderKL`, without `first_stage_model.`, to diffusers'; other names
 * are unchanged. The original numbers the decoder's levels in reverse, from the image's resolution on.
 * @param names All names in the model.
 * @see github.com/CompVis/stable-diffusion, ldm/modules/diffusionmodules/model.py
 */
export function originalVaeNames(names: Iterable<string>): NameTable {
  const levels = [...names].flatMap((name) => /^decoder\.up\.(\d+)\./.exec(name)?.[1] ?? []).map(Number);
  const highest = Math.max(0, ...levels);
  return (name) =>
    parts
      .reduce((result, [from, to]) => result.replace(from, to), name)
      .replace(/^decoder\.up\.(\d+)\./, (_, level) => `decoder.up_blocks.${highest - Number(level)}.`);
}

/**
 * Translates tensor names of one of TAESD's original files, encoder or decoder, to those of diffusers' `AutoencoderTiny`.
 * The original decoder counts its clamp as a layer.
 * @see github.com/madebyollin/taesd, taesd.py
 */
export function originalTinyVaeNames(half: 'encoder' | 'decoder'): NameTable {
  return (name) => {
    const [, number, rest] = /^(\d+)\.(.+)$/.exec(name) ?? [];
    return number === undefined ? undefined : `${half}.layers.${Number(number) - (half === 'decoder' ? 1 : 0)}.${rest}`;
  };
}
