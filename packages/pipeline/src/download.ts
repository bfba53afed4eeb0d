import { lazyImport } from '@sd/core';
import type { DownloadOptions } from './download-files.js';

export type { DownloadOptions };

/**
 * Downloads the files that a model or adapter on the hub needs to the hub's cache, so that it can be used without a
 * connection: of a model in diffusers' layout those that `loadPipeline()` reads, with the same `variant`; of any other
 * repository its one file, or the file that `name` includes. Files that are in the cache are left as they are.
 * @param name `owner/name`, `owner/name/file.safetensors` or `hf://owner/name@revision`.
 *
 * Rejects with a SourceError if there is no such model, for a login that is missing, a damaged download or a full disk, and
 * with an AbortError.
 */
export async function download(name: string, options: DownloadOptions = {}): Promise<void> {
  const { download: run } = await lazyImport(() => import('./download-files.js'));
  return run(name, options);
}
