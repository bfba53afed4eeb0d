import type { EncodedImage } from './engine.js';

export interface ImageStoreOptions {
  /** How long an image is kept, an hour by default. */
  readonly seconds?: number;
  /** Bytes of all images: the oldest are dropped. 256 MiB by default. */
  readonly bytes?: number;
}

/** Finished images in memory, for clients that ask for links. */
export interface ImageStore {
  /** Keeps an image under a name that cannot be guessed: `3f2c....png`. */
  add(image: EncodedImage): string;
  get(name: string): EncodedImage | undefined;
}

export function createImageStore({ seconds = 3600, bytes = 256 * 2 ** 20 }: ImageStoreOptions = {}): ImageStore {
  const kept = new Map<string, { readonly image: EncodedImage; readonly until: number }>();
  let held = 0;

  function drop(name: string): void {
    held -= kept.get(name)?.image.bytes.length ?? 0;
    kept.delete(name);
  }

  function dropOld(): void {
    for (const [name, { until }] of kept) {
      if (until > Date.now() && held <= bytes) return;
      drop(name);
    }
  }

  return {
    add(image) {
      const name = `${crypto.randomUUID()}.${image.mediaType.replace('image/', '')}`;
      kept.set(name, { image, until: Date.now() + seconds * 1000 });
      held += image.bytes.length;
      dropOld();
      return name;
    },
    get(name) {
      dropOld();
      return kept.get(name)?.image;
    },
  };
}
