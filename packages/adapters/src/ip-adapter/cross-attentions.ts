import type { UnetConfig } from '@sd/unet';

export interface CrossAttention {
  /** Its name in the checkpoint: `mid_block.attentions.0.transformer_blocks.0.attn2`. */
  readonly module: string;
  /** Width of its queries, keys and values. */
  readonly width: number;
}

/**
 * The attentions to the text in the order in which diffusers' `UNet2DConditionModel` has them as modules, by which
 * IP-Adapters are numbered: the down path, the up path, then the mid block.
 */
export function crossAttentions({ levels, mid }: UnetConfig): CrossAttention[] {
  const down = levels.flatMap(({ downHeads, downDepths, channels }, i) =>
    downHeads === 0 ? [] : inBlock(`down_blocks.${i}`, downDepths, channels),
  );
  const up = levels
    .toReversed()
    .flatMap(({ upHeads, upDepths, channels }, i) =>
      upHeads === 0 ? [] : inBlock(`up_blocks.${i}`, upDepths, channels),
    );
  const middle = mid === undefined ? [] : inBlock('mid_block', [mid.depth], levels[levels.length - 1].channels);
  return [...down, ...up, ...middle];
}

function inBlock(block: string, depths: readonly number[], width: number): CrossAttention[] {
  return depths.flatMap((depth, i) =>
    Array.from({ length: depth }, (_, j) => ({
      module: `${block}.attentions.${i}.transformer_blocks.${j}.attn2`,
      width,
    })),
  );
}
