import type { NameTable } from '@sd/weights';

const parts: readonly (readonly [RegExp, string])[] = [
  [/^module\./, ''],
  [/\.temporal_transformer\b/, ''],
  [/\.norms\.0\b/, '.norm1'],
  [/\.norms\.1\b/, '.norm2'],
  [/\.ff_norm\b/, '.norm3'],
  [/\.attention_blocks\.0\.pos_encoder\b/, '.pos_embed'],
  [/\.attention_blocks\.0\b/, '.attn1'],
  [/\.attention_blocks\.1\b/, '.attn2'],
];

/**
 * From the names of AnimateDiff's own motion modules to diffusers'. Each attention has a copy of the same positions: the
 * first is kept.
 * @see github.com/guoyww/AnimateDiff, animatediff/models/motion_module.py
 */
export const originalMotionNames: NameTable = (name) =>
  !name.includes('motion_modules.') || /\.attention_blocks\.[1-9]\d*\.pos_encoder\./.test(name)
    ? undefined
    : parts.reduce((translated, [from, to]) => translated.replace(from, to), name);
