import type { OutputFormat } from '../engine.js';
import { oneOf, readFields, text, wholeIn } from '../http/fields.js';

/** The settings of A1111 that have an effect here; they hold for all clients, as in A1111. */
const optionFields = {
  sd_model_checkpoint: text,
  CLIP_stop_at_last_layers: wholeIn(1, 12),
  samples_format: oneOf('png', 'jpg', 'jpeg', 'webp'),
  jpeg_quality: wholeIn(1, 100),
};

export interface A1111Options {
  readonly sd_model_checkpoint?: string | undefined;
  readonly CLIP_stop_at_last_layers?: number | undefined;
  readonly samples_format?: 'png' | 'jpg' | 'jpeg' | 'webp' | undefined;
  /** Of WebP too. */
  readonly jpeg_quality?: number | undefined;
}

/** Reads the settings in a request; others are left out, as A1111 does. Throws an HttpError. */
export function readOptions(values: Readonly<Record<string, unknown>> = {}): A1111Options {
  return readFields(values, optionFields);
}

/** The model's name in A1111's title of it, `name.safetensors [1a2b3c]`. */
export function modelName(title: string | undefined): string | undefined {
  return title === undefined || title === '' ? undefined : title.replace(/ \[[0-9a-f]+\]$/i, '');
}

/** How images are written. */
export function outputOf({ samples_format: format = 'png', jpeg_quality: quality }: A1111Options): OutputFormat {
  return format === 'png' ? { format } : { format: format === 'jpg' ? 'jpeg' : format, quality };
}
