export { loadWorkerPipeline, type WorkerPipeline } from './client.js';
export type {
  LoadWorkerPipelineOptions,
  WorkerAttachOptions,
  WorkerBackendOptions,
  WorkerSource,
} from './options.js';
export type { MessagePortLike } from './protocol.js';
