import type { Backend, Source } from '@sd/core';
import { importError } from '../platform/imported.js';

/** What differs between Node and browsers: package.json says which module it is. */
const platform = (): Promise<typeof import('../platform/web.js')> => import('#platform');

/** The backend for where this code runs. */
export async function defaultBackend(): Promise<Backend> {
  return (await platform()).createBackend();
}

/** A folder by its path or URL, or the embedded model; a Source as it is. */
export async function resolveSource(source: string | URL | Source | undefined): Promise<Source> {
  if (source === undefined) return resolveSource(await embeddedModel());
  if (typeof source !== 'string' && !(source instanceof URL)) return source;
  return (await platform()).openSource(source);
}

async function embeddedModel(): Promise<URL> {
  try {
    return (await import('@sd/model-tiny')).folder;
  } catch (error) {
    throw importError(error, '@sd/model-tiny', 'The embedded model');
  }
}
