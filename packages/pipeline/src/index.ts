export type {
  AdapterSettings,
  ControlNetSettings,
  IpAdapterSettings,
  LoraSettings,
  LoraStrengths,
  MotionSettings,
  Strength,
  T2iAdapterSettings,
} from '@sd/adapters';
export { SdError } from '@sd/core';
export type { Attachment, AttachResult } from './attach/attach.js';
export type { AttachOptions } from './attach/attach-options.js';
export type { EncodeEvent, GenerateResult, ImageEvent, PipelineEvent, StepEvent, Timings, Warning } from './events.js';
export type { FileKind, Inspection } from './load/inspect/inspection.js';
export { inspect } from './load/inspect.js';
export type { LoadPipelineOptions } from './load/load-options.js';
export { loadPipeline } from './load/load-pipeline.js';
export { schedulerNames } from './load/scheduler-names.js';
export { type GenerateOptions, randomSources } from './options.js';
export { type CreatePipelineOptions, createPipeline, type Pipeline } from './pipeline.js';
export type { WeightedPrompt } from './prompts.js';
export { type RecordedRun, recordRun } from './record-run.js';
export type { Stages } from './stages.js';
export {
  type InterpolateOptions,
  type InterpolationEnd,
  type InterpolationFrame,
  interpolate,
} from './start/interpolate.js';
export type { BlendOptions, StartOptions, UpscaleOptions } from './start/options.js';
