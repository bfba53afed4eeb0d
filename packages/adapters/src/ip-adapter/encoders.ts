import { CheckpointError, type ImageEncoder } from '@sd/core';
import type { IpAdapter } from './ip-adapter.js';

interface Widths {
  readonly embedding: number;
  readonly hidden: number;
}

/** The image encoders that IP-Adapters are trained with. */
const encoders: readonly (Widths & { readonly title: string })[] = [
  { title: 'CLIP ViT-L/14', embedding: 768, hidden: 1024 },
  { title: 'OpenCLIP ViT-H/14', embedding: 1024, hidden: 1280 },
  { title: 'OpenCLIP ViT-bigG/14', embedding: 1280, hidden: 1664 },
];

/**
 * Throws a CheckpointError, which names both widths, where an image encoder is not the one that an IP-Adapter was trained
 * with. A custom stage without a config is compared at the first run.
 * @param where The encoder's folder, or the option that gave it.
 */
export function expectEncoder(
  file: string,
  { kind, imageWidth }: Pick<IpAdapter, 'kind' | 'imageWidth'>,
  encoder: ImageEncoder,
  where: string,
): void {
  const part = kind === 'plain' ? 'embedding' : 'hidden';
  const given = widthsOf(encoder)?.[part];
  if (given === undefined || given === imageWidth) return;
  const what = part === 'embedding' ? 'embeddings' : 'hidden states';
  throw new CheckpointError(
    'misshapen-tensor',
    file,
    `is an IP-Adapter for an image encoder with ${what} of width ${imageWidth}${named(part, imageWidth)}, but those of ${where} are ${given} wide${named(part, given)}. Give attach() the option imageEncoder: the encoder that the adapter was trained with.`,
    {
      tensor: { plain: 'image_proj.proj.weight', plus: 'image_proj.proj_in.weight', full: 'image_proj.proj.0.weight' }[
        kind
      ],
    },
  );
}

function widthsOf(encoder: ImageEncoder & { readonly config?: unknown }): Widths | undefined {
  const { width, projectionWidth } = (encoder.config ?? {}) as { width?: unknown; projectionWidth?: unknown };
  if (typeof width !== 'number' || typeof projectionWidth !== 'number') return undefined;
  return { embedding: projectionWidth, hidden: width };
}

function named(part: keyof Widths, width: number): string {
  const title = encoders.find((encoder) => encoder[part] === width)?.title;
  return title === undefined ? '' : ` (${title})`;
}
