import { type Backend, expectFilesOpen, InvalidOptionError, lazyImport, type Source } from '@sd/core';
import { describe } from '@sd/core/options';
import type { DeviceOptions } from '../platform/device.js';
import { importError } from '../platform/imported.js';
import { checkedSource } from './checked-source.js';

/** The code that differs between Node and browsers; package.json maps `#platform` to the module. */
export const platform = (): Promise<typeof import('../platform/web.js')> => lazyImport(() => import('#platform'));

/** A backend of this environment for a device. */
export async function backendFor(options: DeviceOptions): Promise<Backend> {
  return (await platform()).createBackend(options);
}

/** The source of a folder's path or URL, or of the embedded model; the results of a Source are checked. */
export async function resolveSource(source: string | URL | Source | undefined): Promise<Source> {
  if (source === undefined) return resolveSource(await embeddedModel());
  if (typeof source === 'string' || source instanceof URL) return (await platform()).openSource(source);
  if (typeof source === 'object' && typeof source?.read === 'function') return checkedSource(source);
  const expected = 'a path, a URL, a file, or a Source with read(path, range)';
  throw new InvalidOptionError('source', `must be ${expected}, not ${describe(source)}.`);
}

async function embeddedModel(): Promise<URL> {
  try {
    expectFilesOpen();
    return (await import('@sd/model-tiny')).folder;
  } catch (error) {
    throw importError(error, '@sd/model-tiny', 'The embedded model');
  }
}
