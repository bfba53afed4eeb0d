import type { ImageModelV4CallOptions, SharedV4Warning } from '@ai-sdk/provider';

/** Warnings for what a call asks for and does not get. */
export function unsupported({ aspectRatio, size, files = [] }: ImageModelV4CallOptions): SharedV4Warning[] {
  const warnings: SharedV4Warning[] = [];
  if (aspectRatio !== undefined) {
    const instead = size === undefined ? 'Give `size`, such as 768x512.' : '`size` is used.';
    warnings.push({ type: 'unsupported', feature: 'aspectRatio', details: instead });
  }
  if (files.length > 1) {
    warnings.push({
      type: 'unsupported',
      feature: 'several images',
      details: `Only the first of ${files.length} images is used.`,
    });
  }
  return warnings;
}
