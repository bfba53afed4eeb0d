import { InvalidOptionError, type Source, SourceError, withMethods } from '@sd/core';
import { type HubName, parseHubName } from '@sd/source';
import type { HubSource } from '../platform/hub-source.js';
import { stemOf, weightFile } from './file-name.js';
import type { LocateOptions } from './hub-options.js';
import { platform } from './sources.js';

/** A file or folder in a repository: see `Located`. */
interface Found {
  readonly source: Source;
  readonly path: string;
  readonly stem: string;
}

/** A repository with one of these is a folder of a model or of an adapter. */
const indexes = ['model_index.json', 'config.json', 'adapter_config.json'];
const loraOfDiffusers = 'pytorch_lora_weights.safetensors';

/**
 * The files that a text names on the hub; undefined if it is a path or another URL. `owner/name` may be both, and a path
 * that exists comes first. Throws a SourceError if the hub does not have it, and an InvalidOptionError if it has several
 * files of which one must be chosen.
 */
export async function locateHub(place: string, options: LocateOptions): Promise<Found | undefined> {
  const { hubEndpoint, isOnDisk, openHub } = await platform();
  const name = parseHubName(place, hubEndpoint());
  const isNamed = /^(hf|https?):/.test(place);
  if (name === undefined) {
    if (!place.startsWith('hf:')) return undefined;
    throw new InvalidOptionError('source', 'a name on the hub is hf://owner/name, hf://owner/name@revision/file.');
  }
  if (!isNamed && (await isOnDisk(place))) return undefined;
  const { revision } = options;
  try {
    const source = await openHub({ ...(revision !== undefined && { revision }), ...name }, options);
    return await inRepository(source, name);
  } catch (error) {
    if (isNamed || !(error instanceof SourceError)) throw error;
    const message = `There is no file or folder ${place} here. As a name on the hub: ${error.message}`;
    throw new SourceError(error.code as 'not-found' | 'read-failed', place, message, { cause: error });
  }
}

async function inRepository(source: HubSource, { repo, path }: HubName): Promise<Found> {
  const paths = await source.paths();
  if (path === '') {
    const file = paths === undefined ? '' : wholeFile(repo, paths);
    return { source, path: file, stem: stemOf(file === '' ? repo : file) };
  }
  const isFile = paths?.includes(path) ?? weightFile.test(path);
  if (!isFile && paths !== undefined && !paths.some((file) => file.startsWith(`${path}/`))) {
    throw new SourceError('not-found', path, `${repo} has no ${path}. It has: ${listed(paths)}.`);
  }
  const folder = isFile ? path.slice(0, path.lastIndexOf('/') + 1) : `${path}/`;
  return { source: inFolder(source, folder), path: isFile ? path.slice(folder.length) : '', stem: stemOf(path) };
}

/** The one file of weights that a repository consists of; empty for a folder. */
function wholeFile(repo: string, paths: readonly string[]): string {
  if (paths.some((file) => indexes.includes(file))) return '';
  const files = paths.filter((file) => !file.includes('/') && weightFile.test(file));
  if (files.includes(loraOfDiffusers)) return loraOfDiffusers;
  if (files.length < 2) return files[0] ?? '';
  throw new InvalidOptionError(
    'source',
    `${repo} has several files. Choose one, such as ${repo}/${files[0]}: ${listed(files)}.`,
  );
}

function listed(paths: readonly string[]): string {
  const names = [...new Set(paths.map((file) => file.replace(/\/.*/, '/')))];
  return names.slice(0, 20).join(', ') + (names.length > 20 ? ` and ${names.length - 20} more` : '');
}

function inFolder(source: Source, folder: string): Source {
  if (folder === '') return source;
  const inside = withMethods(source, {
    read: (path, range, signal) => source.read(folder + path, range, signal),
    size: (path) => source.size!(folder + path),
    realPath: (path) => source.realPath!(folder + path),
  });
  return Object.assign(inside, { name: `${source.name}/${folder}` });
}
