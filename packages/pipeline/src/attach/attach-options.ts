import type { ImageEncoder } from '@sd/core';
import { checkNames, checkOptional, checkSignal } from '../checks.js';
import type { AdapterKind } from './adapter.js';

export interface AttachOptions {
  /** What `generate` calls it by: the file's name without its ending, if left out. */
  readonly name?: string;
  /** What it is, where that should not be found out from the file. */
  readonly kind?: AdapterKind;
  /** Which file of a Source it is; a folder, if left out. */
  readonly path?: string;
  /**
   * The image encoder that an IP-Adapter was trained with: a folder beside the file, `image_encoder` by default, or a
   * stage, which stays the caller's.
   */
  readonly imageEncoder?: string | ImageEncoder;
  readonly signal?: AbortSignal;
}

const known = ['name', 'kind', 'path', 'imageEncoder', 'signal'] satisfies (keyof AttachOptions)[];

/** Throws an InvalidOptionError for options that are unknown or cannot be; a name and a kind are looked at later. */
export function checkAttachOptions(options: AttachOptions): void {
  checkNames('attach', options, known);
  const { path, imageEncoder, signal } = options;
  checkOptional('path', path, typeof path === 'string', 'a string');
  const encodes = typeof imageEncoder === 'string' || typeof imageEncoder?.encode === 'function';
  checkOptional('imageEncoder', imageEncoder, encodes, 'a folder beside the file, or an object with encode(pixels)');
  checkSignal(signal);
}
