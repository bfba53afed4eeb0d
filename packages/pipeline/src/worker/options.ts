import type { WebBackendOptions } from '@sd/backend-web';
import type { DownloadProgress, OpenUrlOptions, PickedFiles } from '@sd/source';
import type { AttachOptions } from '../attach/attach-options.js';
import type { LoadPipelineOptions } from '../load/load-options.js';

/** A model: the address of a folder or file, relative to the page, or files that a user picked. */
export type WorkerSource = string | URL | PickedFiles;

/** Settings of the backend that the worker creates. */
export type WorkerBackendOptions = Omit<WebBackendOptions, 'runtime'>;

/** The options of `loadPipeline` that can be sent to a worker. */
export interface PlainLoadOptions
  extends Omit<LoadPipelineOptions, 'backend' | 'components' | 'signal' | 'config' | 'onProgress'> {
  /** Where graphs run: the provider and its settings. */
  readonly backend?: WorkerBackendOptions;
  /** How a model at an address is downloaded and cached. */
  readonly download?: Pick<OpenUrlOptions, 'cache' | 'headers' | 'integrity'>;
  /** Addresses of files to use in place of the model's, by diffusers' component names. */
  readonly components?: Readonly<Record<string, string | URL>>;
  readonly config?: string | URL;
}

export interface LoadWorkerPipelineOptions extends PlainLoadOptions {
  /** Called as bytes of the model arrive, from the server or the cache. */
  readonly onProgress?: (progress: DownloadProgress) => void;
  readonly signal?: AbortSignal;
}

/** The options of `attach` that can be sent to a worker. */
export interface PlainAttachOptions extends Omit<AttachOptions, 'imageEncoder' | 'signal' | 'onProgress'> {
  readonly imageEncoder?: string;
}

export interface WorkerAttachOptions extends PlainAttachOptions {
  readonly signal?: AbortSignal;
}
