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
 * diffusers' name of a part of AnimateDiff's motion modules, by the name in their own code; any other name as it is.
 * @see github.com/guoyww/AnimateDiff, animatediff/models/motion_module.py
 */
export function motionModuleName(name: string): string {
  if (!name.includes('motion_modules.')) return name;
  return parts.reduce((translated, [from, to]) => translated.replace(from, to), name);
}
