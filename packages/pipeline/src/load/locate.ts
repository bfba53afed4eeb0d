import { lazyImport, type Source, untilAborted } from '@sd/core';
import { hasFile } from '@sd/weights';
import { abortableSource } from './abortable-source.js';
import { stemOf, weightFile } from './file-name.js';
import type { LocateOptions } from './hub-options.js';
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

/**
 * Finds the files of a path, a URL or a name on the hub, and tells whether it is a file's or a folder's. `path` names the
 * file in a Source. Without a location, the
 * result is the embedded model. Rejects with a SourceError for a path where there is nothing. The source's reads end with an
 * AbortError once the signal is aborted; it must be the signal of the whole operation, linked so that it can be released when
 * that has ended, since the source may be read later.
 */
export async function locate(place: Place | undefined, path?: string, options: LocateOptions = {}): Promise<Located> {
  const { signal } = options;
  const located = await untilAborted(locateFiles(place, path, options), signal);
  if (signal === undefined) return located;
  return { ...located, source: abortableSource(located.source, signal) };
}

async function locateFiles(
  place: Place | undefined,
  path: string | undefined,
  options: LocateOptions,
): Promise<Located> {
  if (place instanceof Blob) {
    const name = 'name' in place && typeof place.name === 'string' ? place.name : 'file';
    const { openFiles } = await lazyImport(() => import('@sd/source'));
    return { source: openFiles(new Map([[name, place]])), path: name, stem: stemOf(name) };
  }
  if (typeof place !== 'string' && !(place instanceof URL)) {
    const source = await resolveSource(place);
    const name = typeof source.name === 'string' ? source.name : '';
    return { source, path: path ?? '', stem: stemOf(path ?? name) };
  }
  const onHub =
    path === undefined && mayBeName.test(String(place)) ? await locateOnHub(String(place), options) : undefined;
  if (onHub !== undefined) return onHub;
  if (/^https?:/.test(String(place))) (await lazyImport(() => import('./web-page.js'))).refuseWebPage(String(place));
  const { address, folder, name, query } = splitAddress(String(place));
  if (path !== undefined) return { source: await resolveSource(place), path, stem: stemOf(path) };
  // A folder's query, such as the signature of a link, is sent for each of its files.
  const inParent = async () => ({ source: await resolveSource(`${folder}${query}`), path: name, stem: stemOf(name) });
  const asFolder = async () => ({ source: await resolveSource(place), path: '', stem: stemOf(address) });
  if (!weightFile.test(address)) {
    const { fileOrFolder } = await lazyImport(() => import('./file-or-folder.js'));
    return fileOrFolder(name, asFolder, inParent);
  }
  const file = await inParent();
  // On a disk, a folder may have a file's ending.
  const isMissing = file.source.realPath !== undefined && !(await hasFile(file.source, name));
  return isMissing ? asFolder().catch(() => file) : file;
}

/** What may name files on the hub: `owner/name`, `hf://owner/name`, the address of a page. */
const mayBeName = /^(hf:|https?:|[\w.-]+\/)/;

async function locateOnHub(place: string, options: LocateOptions): Promise<Located | undefined> {
  const { locateHub } = await lazyImport(() => import('./hub.js'));
  return locateHub(place, options);
}

/** A path or URL as its folder, the name in it, decoded, and a URL's query. */
function splitAddress(text: string) {
  const isUrl = /^[a-z][a-z\d+.-]+:/i.test(text);
  // A file's name may have the delimiters of a query: `style #2.safetensors`.
  const isPlainPath = !isUrl && weightFile.test(text);
  const [address] = isPlainPath ? [text] : text.split(/[?#]/);
  const nameStart = address.search(/[^/\\]*$/);
  const name = address.slice(nameStart);
  return {
    address,
    folder: nameStart === 0 ? './' : address.slice(0, nameStart),
    name: isUrl ? decoded(name) : name,
    query: isPlainPath ? '' : (/^[^?#]*(\?[^#]*)/.exec(text)?.[1] ?? ''),
  };
}

/** A file's name with its percent escapes decoded; unchanged if they are not valid. */
function decoded(name: string): string {
  try {
    return decodeURIComponent(name);
  } catch {
    return name;
  }
}
