import type { Source } from '@sd/core';
import { resolveSource } from './sources.js';

/** The location of files: a path, a URL, a file that a user picked, or a Source. */
export type Place = string | URL | Blob | Source;

/** A file in a source, or a folder, which is a whole source. */
export interface Located {
  readonly source: Source;
  /** The file's path in the source; empty for a folder. */
  readonly path: string;
  /** The name without folders and extension, for display. */
  readonly stem: string;
}

/** Extensions of files with weights; any other path is a folder. */
const weightFile = /\.(safetensors|ckpt|pt|pth|bin|onnx)$/i;

/**
 * Tells whether a path or URL is that of a file or of a folder. `path` names the file in a Source. Without a location, the
 * result is the embedded model.
 */
export async function locate(place: Place | undefined, path?: string): Promise<Located> {
  if (place instanceof Blob) {
    const name = 'name' in place && typeof place.name === 'string' ? place.name : 'file';
    const { openFiles } = await import('@sd/source');
    return { source: openFiles(new Map([[name, place]])), path: name, stem: stemOf(name) };
  }
  if (typeof place !== 'string' && !(place instanceof URL)) {
    const source = await resolveSource(place);
    const name = typeof source.name === 'string' ? source.name : '';
    return { source, path: path ?? '', stem: stemOf(path ?? name) };
  }
  const text = String(place);
  const isUrl = /^[a-z][a-z\d+.-]+:/i.test(text);
  // A file's name may have the delimiters of a query: `style #2.safetensors`.
  const isPlainPath = !isUrl && weightFile.test(text);
  const [address] = isPlainPath ? [text] : text.split(/[?#]/);
  if (path !== undefined || !weightFile.test(address)) {
    return { source: await resolveSource(place), path: path ?? '', stem: stemOf(path ?? address) };
  }
  const nameStart = address.search(/[^/\\]*$/);
  const folder = nameStart === 0 ? './' : address.slice(0, nameStart);
  const name = address.slice(nameStart);
  const file = isUrl ? decoded(name) : name;
  // A folder's query, such as the signature of a link, is sent for each of its files.
  const query = isPlainPath ? '' : (/^[^?#]*(\?[^#]*)/.exec(text)?.[1] ?? '');
  return { source: await resolveSource(`${folder}${query}`), path: file, stem: stemOf(file) };
}

/** A file's name with its percent escapes decoded; unchanged if they are not valid. */
function decoded(name: string): string {
  try {
    return decodeURIComponent(name);
  } catch {
    return name;
  }
}

function stemOf(path: string): string {
  const trimmed = path.replace(/[/\\]+$/, '');
  return trimmed.slice(trimmed.search(/[^/\\]*$/)).replace(weightFile, '');
}
