import type { Source } from '@sd/core';
import { resolveSource } from './sources.js';

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
  const text = String(place);
  const isUrl = /^[a-z][a-z\d+.-]+:/i.test(text);
  // A path may have the signs of a query in a name: `style #2.safetensors`.
  const [, plain, query] = /^([^?#]*)(\?[^#]*)?/.exec(text)!;
  const address = !isUrl && weightFile.test(text) ? text : plain!;
  if (path !== undefined || !weightFile.test(address)) {
    return { source: await resolveSource(place), path: path ?? '', stem: stemOf(path ?? address) };
  }
  const [, folder = './', name] = /^(.*[/\\])?([^/\\]*)$/.exec(address)!;
  const file = isUrl ? decoded(name!) : name!;
  // A folder's query, such as the signature of a link, goes with each of its files.
  const asked = address === plain ? (query ?? '') : '';
  return { source: await resolveSource(`${folder}${asked}`), path: file, stem: stemOf(file) };
}

/** A part of an address as it reads; itself where its escapes are none. */
function decoded(part: string): string {
  try {
    return decodeURIComponent(part);
  } catch {
    return part;
  }
}

function stemOf(path: string): string {
  const name = path
    .replace(/[/\\]+$/, '')
    .split(/[/\\]/)
    .at(-1)!;
  return name.replace(weightFile, '');
}
