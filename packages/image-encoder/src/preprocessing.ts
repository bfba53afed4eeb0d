import { CheckpointError, type ImagePreprocessing, show } from '@sd/core';
import type { Config } from '@sd/weights';

/** Mean and standard deviation of CLIP's training images. */
const mean = [0.48145466, 0.4578275, 0.40821073];
const std = [0.26862954, 0.26130258, 0.27577711];

/** Pillow's constant for its bicubic filter. */
const bicubic = 3;

/** CLIP's default preprocessing for a model with this input size. */
export function clipPreprocessing(imageSize: number): ImagePreprocessing {
  return {
    resize: { shortestEdge: imageSize },
    crop: { width: imageSize, height: imageSize },
    rescale: 1 / 255,
    mean,
    std,
  };
}

/**
 * Reads the `preprocessor_config.json` of transformers' `CLIPImageProcessor`, with that class's defaults; sizes may be
 * single numbers, as in older files. Throws CheckpointError, and UnsupportedError for a filter other than bicubic.
 */
export function imagePreprocessing(config: Config): ImagePreprocessing {
  config.only('resample', bicubic);
  const defaults = clipPreprocessing(224);
  return {
    ...(config.boolean('do_resize', true) && { resize: resizeOf(config) }),
    ...(config.boolean('do_center_crop', true) && { crop: cropOf(config) }),
    rescale: config.boolean('do_rescale', true) ? config.number('rescale_factor', defaults.rescale) : 1,
    ...(config.boolean('do_normalize', true)
      ? { mean: threeOf(config, 'image_mean', mean), std: threeOf(config, 'image_std', std) }
      : { mean: [0, 0, 0], std: [1, 1, 1] }),
  };
}

function resizeOf(config: Config): ImagePreprocessing['resize'] {
  const size = sizes(config, 'size', { shortest_edge: 224 });
  if (typeof size === 'number') return { shortestEdge: size };
  const { shortest_edge, width, height, ...others } = size;
  if (shortest_edge !== undefined && Object.keys(others).length === 0) return { shortestEdge: shortest_edge };
  if (width !== undefined && height !== undefined) return { width, height };
  throw wrong(config, 'size');
}

function cropOf(config: Config): ImagePreprocessing['crop'] {
  const size = sizes(config, 'crop_size', 224);
  if (typeof size === 'number') return { width: size, height: size };
  const { width, height } = size;
  if (width === undefined || height === undefined) throw wrong(config, 'crop_size');
  return { width, height };
}

type Sizes = number | Readonly<Partial<Record<string, number>>>;

/** A single number of pixels, or several by name. */
function sizes(config: Config, key: string, fallback: Sizes): Sizes {
  const value = config.get(key) ?? fallback;
  const all = typeof value === 'object' ? Object.values(value) : [value];
  if (!all.every((size) => Number.isSafeInteger(size) && (size as number) > 0)) throw wrong(config, key);
  return value as Sizes;
}

function threeOf(config: Config, key: string, fallback: readonly number[]): readonly number[] {
  const values = config.numbers(key, fallback);
  if (values.length !== 3) throw wrong(config, key);
  return values;
}

function wrong(config: Config, key: string): CheckpointError {
  return new CheckpointError(
    'bad-config',
    config.file,
    `${key} is ${show(config.get(key))}, which is not valid for CLIP's image processor.`,
  );
}
