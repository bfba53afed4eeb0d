import type { WebBackendOptions } from '@sd/backend-web';
import { type Backend, expectFilesOpen, type Source } from '@sd/core';
import { openUrl } from '@sd/source';
import { importError } from './imported.js';

async function webPackage() {
  try {
    expectFilesOpen();
    return await import('@sd/backend-web');
  } catch (error) {
    throw importError(error, '@sd/backend-web', 'Running models in a browser');
  }
}

export async function createBackend(settings?: WebBackendOptions): Promise<Backend> {
  return (await webPackage()).createWebBackend(settings);
}

/** A folder by its address, from the page's or worker's own on. */
export async function openSource(source: string | URL): Promise<Source> {
  return openUrl(source);
}
