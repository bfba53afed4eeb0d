import { stat } from 'node:fs/promises';
import { type Backend, expectFilesOpen, lazyImport, type Source } from '@sd/core';
import { defaultEndpoint, type HubName, openUrl } from '@sd/source';
import type { OpenHubOptions } from '@sd/source/hub';
import type { HubSource } from '../load/hub.js';
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

export function hubEndpoint(): string {
  return (process.env.HF_ENDPOINT ?? defaultEndpoint).replace(/\/+$/, '');
}

/** Whether there is a file or folder at a path. */
export async function isOnDisk(path: string): Promise<boolean> {
  return stat(path).then(
    () => true,
    () => false,
  );
}

/** A repository on the hub, through the cache on the disk that Python uses too. */
export async function openHub(name: HubName, options: OpenHubOptions): Promise<HubSource> {
  const { openHubSource } = await lazyImport(() => import('./hub-source.js'));
  return openHubSource(name, options, (await nodePackage()).openFolder);
}
