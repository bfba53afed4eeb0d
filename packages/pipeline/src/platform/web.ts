import type { Backend, Source } from '@sd/core';
import { openUrl } from '@sd/source';
import { imported } from './imported.js';

export async function createBackend(): Promise<Backend> {
  const load = () => import('@sd/backend-web');
  return (await imported('@sd/backend-web', 'Running models in a browser', load)).createWebBackend();
}

/** A folder by its address, from the page's or worker's own on. */
export async function openSource(source: string | URL): Promise<Source> {
  return openUrl(source);
}

/** The JPEG decoder's WebAssembly, where the decoder does not fetch it from beside itself. */
export async function jpegDecoder(): Promise<{ wasmBinary?: Uint8Array }> {
  return {};
}
