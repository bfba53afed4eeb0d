import { type Backend, MissingPackageError, type Source, UnsupportedError } from '@sd/core';

/** A package that an app installs only if it needs it. */
async function imported<T>(name: string, purpose: string, load: () => Promise<T>): Promise<T> {
  try {
    return await load();
  } catch (error) {
    if ((error as { code?: unknown }).code !== 'ERR_MODULE_NOT_FOUND') throw error;
    throw new MissingPackageError(name, purpose, { cause: error });
  }
}

const nodePackage = () => imported('@sd/backend-node', 'Running models in Node', () => import('@sd/backend-node'));

/** The backend for where this code runs. */
export async function defaultBackend(): Promise<Backend> {
  if (!inNode())
    throw new UnsupportedError('There is no backend for this environment yet: give one as the option `backend`.');
  return (await nodePackage()).createNodeBackend();
}

/** A folder by its path or URL, or the embedded model; a Source as it is. */
export async function resolveSource(source: string | URL | Source | undefined): Promise<Source> {
  if (source === undefined) {
    const model = await imported('@sd/model-tiny', 'The embedded model', () => import('@sd/model-tiny'));
    return resolveSource(model.folder);
  }
  if (typeof source !== 'string' && !(source instanceof URL)) return source;
  if (/^https?:/.test(String(source))) {
    throw new UnsupportedError(
      `${source}: models are not read over HTTP yet. Download the folder, or give an object with read(path, range).`,
    );
  }
  const folder = typeof source === 'string' && source.startsWith('file:') ? new URL(source) : source;
  return (await nodePackage()).openFolder(folder);
}

function inNode(): boolean {
  return typeof process === 'object' && typeof process.versions?.node === 'string';
}
