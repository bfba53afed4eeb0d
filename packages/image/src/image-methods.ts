import type { ImageFormat } from './formats/index.js';

export interface EncodeOptions {
  /** PNG by default. */
  readonly format?: ImageFormat | undefined;
  /**
   * From 1, the smallest file, to 100; by default 90 for JPEG and WebP, 70 for AVIF, whose scale is another. PNG, which
   * keeps every pixel, takes none.
   */
  readonly quality?: number | undefined;
}

/** What an image can be turned into. The settings that it was made with are written into each file. */
export interface ImageMethods {
  /** A file's bytes, which `readParameters` and A1111 read the settings from. */
  encode(options?: EncodeOptions): Promise<Uint8Array<ArrayBuffer>>;
  /** `encode()` as PNG. */
  toPng(): Promise<Uint8Array<ArrayBuffer>>;
  /** `encode()` as a Blob of its media type: for a Response, a FormData, or `URL.createObjectURL`. */
  toBlob(options?: EncodeOptions): Promise<Blob>;
  /** `encode()` as a `data:` URL: for the `src` of an `img`. */
  toDataUrl(options?: EncodeOptions): Promise<string>;
}

/** The methods of an image, by the one function that encodes it. */
export function imageMethods(encode: (options: EncodeOptions) => Promise<Uint8Array<ArrayBuffer>>): ImageMethods {
  const mediaType = ({ format = 'png' }: EncodeOptions) => `image/${format}`;
  return {
    encode: async (options = {}) => encode(options),
    toPng: async () => encode({ format: 'png' }),
    toBlob: async (options = {}) => new Blob([await encode(options)], { type: mediaType(options) }),
    toDataUrl: async (options = {}) => `data:${mediaType(options)};base64,${base64(await encode(options))}`,
  };
}

/** Whole groups of three bytes, so that the parts of the text join without padding. */
const bytesAtOnce = 3 * 8192;

function base64(bytes: Uint8Array): string {
  let text = '';
  for (let at = 0; at < bytes.length; at += bytesAtOnce) {
    text += btoa(String.fromCharCode(...bytes.subarray(at, at + bytesAtOnce)));
  }
  return text;
}
