export type {
  LoadWorkerPipelineOptions,
  WorkerAttachOptions,
  WorkerBackendOptions,
  WorkerSource,
} from './options.js';
export type { MessagePortLike } from './protocol.js';
export { loadWorkerPipeline, type WorkerPipeline } from './worker-pipeline.js';
