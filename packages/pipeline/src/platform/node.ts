import { type Backend, expectFilesOpen, type Source } from '@sd/core';
import { openUrl } from '@sd/source';
import { importError } from './imported.js';

async function nodePackage() {
  try {
    expectFilesOpen();
    return await import('@sd/backend-node');
  } catch (error) {
    throw importError(error, '@sd/backend-node', 'Running models in Node');
  }
}

export async function createBackend(): Promise<Backend> {
  return (await nodePackage()).createNodeBackend();
}

/** A folder by its path, its file URL, or its address on a server. */
export async function openSource(source: string | URL): Promise<Source> {
  if (/^https?:/.test(String(source))) return openUrl(source);
  const folder = typeof source === 'string' && source.startsWith('file:') ? new URL(source) : source;
  return (await nodePackage()).openFolder(folder);
}
