import { InvalidOptionError, lazyImport, show } from '@sd/core';
import type { FileFormat } from './format.js';

interface FormatEntry {
  readonly mediaType: string;
  /** Of file names, with the dot; the first is the usual one. */
  readonly extensions: readonly string[];
  /** What `kindOfFile` calls such a file. */
  readonly kind: string;
  /** Whether the format discards detail, by a quality from 1 to 100. */
  readonly isLossy: boolean;
  load(): Promise<FileFormat>;
}

const entries = {
  png: {
    mediaType: 'image/png',
    extensions: ['.png'],
    kind: 'a PNG file',
    isLossy: false,
    load: async () => (await lazyImport(() => import('../png/format.js'))).png,
  },
  jpeg: {
    mediaType: 'image/jpeg',
    extensions: ['.jpg', '.jpeg'],
    kind: 'a JPEG file',
    isLossy: true,
    load: async () => (await lazyImport(() => import('../jpeg/format.js'))).jpeg,
  },
  webp: {
    mediaType: 'image/webp',
    extensions: ['.webp'],
    kind: 'a WebP file',
    isLossy: true,
    load: async () => (await lazyImport(() => import('../webp/format.js'))).webp,
  },
  avif: {
    mediaType: 'image/avif',
    extensions: ['.avif'],
    kind: 'an AVIF file',
    isLossy: true,
    load: async () => (await lazyImport(() => import('../avif/format.js'))).avif,
  },
} as const satisfies Record<string, FormatEntry>;

/** A format that images are written in. */
export type ImageFormat = keyof typeof entries;

/** The formats that images are read and written in, by name. */
export const imageFormats: Readonly<Record<ImageFormat, FormatEntry>> = entries;

/** The entry for a format's name. Throws an InvalidOptionError (`format`) for any other value. */
export function formatNamed(name: unknown): FormatEntry {
  if (typeof name === 'string' && Object.hasOwn(entries, name)) return imageFormats[name as ImageFormat];
  throw new InvalidOptionError('format', `must be ${Object.keys(entries).join(', ')}, not ${show(name)}.`);
}

/** The format of a file of this kind, as `kindOfFile` says it; undefined if it is none of them. */
export function formatOfKind(kind: string): FormatEntry | undefined {
  return Object.values(imageFormats).find((entry) => entry.kind === kind);
}
