import type { ImageEncoder } from '@sd/core';
import { abortSignal, checkOptional, checkOptions, type OptionTable, text } from '@sd/core/options';
import { type HubPlaceOptions, hubTable } from '../load/hub-options.js';

export interface AttachOptions extends HubPlaceOptions {
  /** The adapter's name in `generate`: by default the file's name without its extension. */
  readonly name?: string;
  /** The adapter's kind, such as `lora`: by default it is recognised from the file. */
  readonly kind?: string;
  /** The adapter's file in a Source; by default, the Source is the adapter's folder. */
  readonly path?: string;
  /**
   * The image encoder that an IP-Adapter was trained with: a folder next to the file, `image_encoder` by default, or a
   * stage, which the caller must dispose.
   */
  readonly imageEncoder?: string | ImageEncoder;
  readonly signal?: AbortSignal;
}

/** The options of `attach()`. Names and kinds are checked where they are used. */
export const attachOptions: OptionTable<AttachOptions> = {
  name: {
    type: 'string',
    default: "the file's name without its extension",
    text: 'Its name in `generate({ adapters })`.',
  },
  kind: { type: 'string', text: 'Its kind, such as `lora`; by default it is recognised from the file.' },
  path: { ...text, text: 'The file inside a `Source`; without it, the whole `Source` is one folder.' },
  imageEncoder: {
    type: 'string | ImageEncoder',
    default: "'image_encoder'",
    text: 'The image encoder that an IP-Adapter was trained with: a folder next to its file, or a stage.',
    check(option, value) {
      const encodes =
        typeof value === 'string' || typeof (value as Partial<ImageEncoder> | null)?.encode === 'function';
      checkOptional(option, value, encodes, 'a folder next to the file, or an object with encode(pixels)');
    },
  },
  ...hubTable,
  signal: { ...abortSignal, text: 'Aborts attaching.' },
};

/** Throws an InvalidOptionError for unknown or impossible options. */
export function checkAttachOptions(options: AttachOptions): void {
  checkOptions(options, attachOptions, { of: 'attach()' });
}
