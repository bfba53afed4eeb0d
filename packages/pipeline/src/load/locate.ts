import type { Source } from '@sd/core';
import { resolveSource } from './imports.js';

/** Where something is: a path, a URL, a file that a person picked, or a Source. */
export type Place = string | URL | Blob | Source;

/** A file of a source, or a folder, which is a source of its own. */
export interface Located {
  readonly source: Source;
  /** Path of the file in the source; empty for a folder. */
  readonly path: string;
  /** Its name without folders and ending, for people. */
  readonly stem: string;
}

/** Endings of files that hold weights; what has none of them is a folder. */
const weightFile = /\.(safetensors|ckpt|pt|pth|bin|onnx)$/i;

/** Finds out whether a path or URL is one of a file or of a folder. Of a Source, `path` says which file. Nothing is the embedded model. */
export async function locate(place: Place | undefined, path?: string): Promise<Located> {
  if (place instanceof Blob) {
    const name = 'name' in place && typeof place.name === 'string' ? place.name : 'file';
    const { openFiles } = await import('@sd/source');
    return { source: openFiles(new Map([[name, place]])), path: name, stem: stemOf(name) };
  }
  if (typeof place !== 'string' && !(place instanceof URL)) {
    const source = await resolveSource(place);
    return { source, path: path ?? '', stem: stemOf(path ?? source.name ?? '') };
  }
  const text = withoutQuery(String(place));
  if (path !== undefined || !weightFile.test(text)) {
    return { source: await resolveSource(place), path: path ?? '', stem: stemOf(path ?? text) };
  }
  const [, folder, file] = /^(.*[/\\])?([^/\\]*)$/.exec(text)!;
  const source = await resolveSource(place instanceof URL ? new URL('.', place) : (folder ?? '.'));
  return { source, path: place instanceof URL ? decodeURIComponent(file!) : file!, stem: stemOf(file!) };
}

/** A path may have these signs in a name: `style #2.safetensors`. */
function withoutQuery(place: string): string {
  const isUrl = /^[a-z][a-z\d+.-]+:/i.test(place);
  return !isUrl && weightFile.test(place) ? place : place.split(/[?#]/)[0]!;
}

function stemOf(path: string): string {
  const name = path
    .replace(/[/\\]+$/, '')
    .split(/[/\\]/)
    .at(-1)!;
  return name.replace(weightFile, '');
}
