import type { WebBackendOptions } from '@sd/backend-web';
import { type Backend, expectFilesOpen, InvalidOptionError, type Source } from '@sd/core';
import { type DownloadProgress, defaultEndpoint, type HubName, hubUrl, openUrl } from '@sd/source';
import type { OpenHubOptions } from '@sd/source/hub';
import type { DeviceOptions } from './device.js';
import type { HubSource } from './hub-source.js';
import { importError } from './imported.js';

async function webPackage() {
  try {
    expectFilesOpen();
    return await import('@sd/backend-web');
  } catch (error) {
    throw importError(error, '@sd/backend-web', 'Running models in a browser');
  }
}

/**
 * A backend for the options `device` and `dtype` of `loadPipeline`, with further settings: by default WebGPU where there is a
 * graphics card.
 */
export async function createBackend(
  { device = 'auto', dtype }: DeviceOptions,
  settings?: WebBackendOptions,
): Promise<Backend> {
  if (!Object.hasOwn(providers, device)) {
    throw new InvalidOptionError(
      'device',
      `is '${device}', which browsers do not have: ${Object.keys(providers).join(', ')}.`,
    );
  }
  const float16 = dtype === undefined ? {} : { float16: dtype === 'float16' };
  return (await webPackage()).createWebBackend({ provider: providers[device], ...float16, ...settings });
}

const providers: Readonly<Record<string, WebBackendOptions['provider']>> = {
  auto: undefined,
  webgpu: 'webgpu',
  cpu: 'wasm',
};

/** A folder by its address, from the page's or worker's own on. */
export async function openSource(source: string | URL): Promise<Source> {
  return openUrl(source);
}

export function hubEndpoint(): string {
  return defaultEndpoint;
}

/** A page cannot look for a folder without asking its server: `owner/name` is a name on the hub, `./owner/name` an address. */
export async function isOnDisk(_path: string): Promise<boolean> {
  return false;
}

/** A repository on the hub, through the browser's cache of downloads. */
export async function openHub(
  { repo, revision = 'main' }: HubName,
  { token, onProgress }: OpenHubOptions,
): Promise<HubSource> {
  const headers = token === undefined ? {} : { headers: { Authorization: `Bearer ${token}` } };
  const files = new Map<string, DownloadProgress>();
  const source = await openUrl(hubUrl({ repo, revision, path: '' }), {
    ...headers,
    onProgress(progress) {
      files.set(progress.path, progress);
      const sum = (key: 'loaded' | 'size') => [...files.values()].reduce((total, file) => total + file[key], 0);
      onProgress?.({ path: progress.path, loaded: sum('loaded'), total: sum('size') });
    },
  });
  return { ...source, paths: async () => undefined };
}
