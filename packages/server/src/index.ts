export { BusyError, UnknownModelError } from '@sd/core';
export { drawJob } from './engine/draw-job.js';
export { localEngine } from './engine/local-engine.js';
export type { LocalEngineOptions } from './engine/local-options.js';
export type { ListedModel, ModelsOption } from './engine/model-list.js';
export type { LoadEvent } from './engine/model-pool.js';
export { type QueueLike, queueEngine } from './engine/queue-engine.js';
export type {
  DoneEvent,
  EncodedImage,
  Engine,
  EngineEvent,
  EngineStatus,
  FinishedImageEvent,
  GenerateRequest,
  Job,
  LoraInfo,
  ModelInfo,
  OutputFormat,
  PreviewEvent,
  QueuedEvent,
  StartedEvent,
  StepProgressEvent,
} from './engine.js';
export { createHandler, type Handler } from './handler.js';
export type { HandlerOptions } from './handler-options.js';
export { defaultLimits, type Limits } from './limits.js';
