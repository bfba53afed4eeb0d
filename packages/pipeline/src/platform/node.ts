import { stat } from 'node:fs/promises';
import { type Backend, expectFilesOpen, lazyImport, type Source, UnsupportedError } from '@sd/core';
import { defaultEndpoint, type HubName, openUrl } from '@sd/source';
import type { OpenHubOptions } from '@sd/source/hub';
import type { DeviceOptions } from './device.js';
import type { HubSource } from './hub-source.js';
import { importError } from './imported.js';

const oldestNode = [20, 19];

/** Older versions lack functions of the platform that the packages call; what they would say is no help. */
function expectNode(): void {
  const [major, minor] = globalThis.process.versions.node.split('.').map(Number);
  if (major > oldestNode[0] || (major === oldestNode[0] && minor >= oldestNode[1])) return;
  throw new UnsupportedError(
    `Node ${globalThis.process.versions.node} is too old: @sd needs Node ${oldestNode.join('.')} or later. See https://nodejs.org.`,
  );
}

async function nodePackage() {
  expectNode();
  try {
    expectFilesOpen();
    return await import('@sd/backend-node');
  } catch (error) {
    throw importError(error, '@sd/backend-node', 'Running models in Node');
  }
}

/** A backend for the options `device` and `dtype` of `loadPipeline`: by default the processor's, in single precision. */
export async function createBackend({ device = 'cpu', dtype }: DeviceOptions): Promise<Backend> {
  return (await nodePackage()).createDeviceBackend(device, { float16: dtype === 'float16' });
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
