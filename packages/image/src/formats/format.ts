import type { Pixels } from '../pixels.js';

/** A format of image files, and how it keeps the settings that an image was made with. */
export interface FileFormat {
  /** Decodes a file to RGBA, upright. Throws an InvalidOptionError for what is not supported, an Error for a broken file. */
  decode(file: Uint8Array, option: string): Promise<Pixels>;
  /** Encodes RGBA pixels. `quality` is from 1 to 100, by default the format's own. */
  encode(pixels: Pixels, quality?: number): Promise<Uint8Array<ArrayBuffer>>;
  /** Adds a text of settings to a file that this format's `encode` wrote. */
  addSettings(file: Uint8Array<ArrayBuffer>, text: string): Uint8Array<ArrayBuffer>;
  /** The texts in which programs keep settings. Throws an InvalidOptionError or an Error for a broken file. */
  findSettings(file: Uint8Array): Promise<SettingsTexts>;
}

/** Settings as files have them: in A1111's format (`parameters`), or as ComfyUI's graphs, for its API and its editor. */
export interface SettingsTexts {
  readonly parameters?: string | undefined;
  readonly prompt?: string | undefined;
  readonly workflow?: string | undefined;
}
