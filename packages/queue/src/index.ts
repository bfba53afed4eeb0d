export { BusyError, UnknownModelError } from '@sd/core';
export type { ConnectionOption } from './connection.js';
export * from './errors.js';
export type {
  CancelledEvent,
  PreviewEvent,
  QueuedEvent,
  ReturnedEvent,
  StartedEvent,
  StepEvent,
} from './events.js';
export type { DrawnImage, JobEvent, JobHandle, JobResult } from './handle.js';
export type { DrawJob, JobRequest } from './job.js';
export { createQueue, type DrawQueue, type EnqueueOptions, type QueueOptions } from './queue.js';
export type { WorkerInfo } from './registry.js';
export type { StoredImage } from './result.js';
export type { Priority } from './scripts/admit.js';
export { fileStore } from './store/file-store.js';
export type { StoreOption } from './store/open-store.js';
export { type S3StoreOptions, s3Store } from './store/s3-store.js';
export type { PutOptions, Store } from './store/store.js';
export { type UnstorageLike, unstorageStore } from './store/unstorage-store.js';
export type { WorkerModel } from './worker/models.js';
export { createWorker, type DrawWorker, type WorkerOptions } from './worker/worker.js';
