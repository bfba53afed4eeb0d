import type { ImageEncoder } from '@sd/core';
import { abortSignal, checkOptional, checkOptions, type OptionTable, text } from '@sd/core/options';

export interface AttachOptions {
  /** What `generate` calls it by: the file's name without its ending, if left out. */
  readonly name?: string;
  /** Its kind, such as `lora`, where that should not be found out from the file. */
  readonly kind?: string;
  /** Which file of a Source it is; a folder, if left out. */
  readonly path?: string;
  /**
   * The image encoder that an IP-Adapter was trained with: a folder next to the file, `image_encoder` by default, or a
   * stage, which stays the caller's.
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
  signal: { ...abortSignal, text: 'Aborts attaching.' },
};

/** Throws an InvalidOptionError for options that are unknown or cannot be. */
export function checkAttachOptions(options: AttachOptions): void {
  checkOptions(options, attachOptions, { of: 'attach()' });
}
