import { randomUUID } from 'node:crypto';
import { mkdir, open, rename, rm, stat, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { type ImageFormat, imageFormats } from '@sd/image';

/** Where a command's images go. */
export interface ImageFiles {
  /** Writes an image, whole or not at all; resolves to its absolute path. */
  write(bytes: Uint8Array, image: { readonly prompt: string; readonly seed: bigint }): Promise<string>;
}

/** The format of a file by its extension; undefined for a folder, and for another extension. */
export function formatOfFile(output = ''): ImageFormat | undefined {
  const extension = path.extname(output).toLowerCase();
  const formats = Object.entries(imageFormats) as [ImageFormat, { readonly extensions: readonly string[] }][];
  return formats.find(([, { extensions }]) => extensions.includes(extension))?.[0];
}

/**
 * `output` is a folder, if it is one or ends in a slash, or a file; `images/` by default. In a folder, files are named after
 * prompt and seed, and none is replaced; a named file is, and further images are numbered: `cat.png`, `cat-2.png`.
 */
export function imageFiles(output = 'images/', format: ImageFormat = 'png'): ImageFiles {
  let written = 0;
  const [extension] = imageFormats[format].extensions;
  return {
    async write(bytes, { prompt, seed }) {
      written += 1;
      if (await isFolder(output)) return writeNew(path.resolve(output, `${slug(prompt)}-${seed}${extension}`), bytes);
      const { dir, name, ext } = path.parse(path.resolve(output));
      const file = path.join(dir, `${name}${written === 1 ? '' : `-${written}`}${ext || extension}`);
      await mkdir(dir, { recursive: true });
      await writeWhole(file, bytes);
      return file;
    },
  };
}

async function isFolder(output: string): Promise<boolean> {
  if (/[\\/]$/.test(output)) return true;
  return (await stat(output).catch(() => undefined))?.isDirectory() === true;
}

/** Writes a file under a name that is free: `cat-1.png`, `cat-1 (2).png`. */
async function writeNew(file: string, bytes: Uint8Array): Promise<string> {
  const { dir, name, ext } = path.parse(file);
  await mkdir(dir, { recursive: true });
  for (let number = 1; ; number++) {
    const free = path.join(dir, `${name}${number === 1 ? '' : ` (${number})`}${ext}`);
    try {
      // Takes the name, so that another process does not.
      await (await open(free, 'wx')).close();
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === 'EEXIST') continue;
      throw error;
    }
    await writeWhole(free, bytes).catch(async (error) => {
      await rm(free, { force: true });
      throw error;
    });
    return free;
  }
}

async function writeWhole(file: string, bytes: Uint8Array): Promise<void> {
  const temporary = `${file}.${randomUUID()}.tmp`;
  try {
    await writeFile(temporary, bytes);
    await rename(temporary, file);
  } catch (error) {
    await rm(temporary, { force: true });
    throw error;
  }
}

/** A prompt as a part of a file's name. */
function slug(prompt: string): string {
  const words = prompt.toLowerCase().replace(/[^\p{L}\p{N}]+/gu, '-');
  return words.slice(0, 60).replace(/^-|-$/g, '') || 'image';
}
