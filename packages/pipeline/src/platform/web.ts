import type { WebBackendOptions } from '@sd/backend-web';
import { type Backend, expectFilesOpen, InvalidOptionError, type Source } from '@sd/core';
import { openUrl } from '@sd/source';
import type { DeviceOptions } from './device.js';
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
