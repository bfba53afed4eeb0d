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
export { SdError, type Warning } from '@sd/core';
export { schedulerNamed, schedulerNames } from '@sd/scheduler';
export type { PromptSyntax, PromptSyntaxName } from '@sd/tokenizer/prompt';
export type { Attachment, AttachResult } from './attach/attach.js';
export { type AttachOptions, attachOptions } from './attach/attach-options.js';
export { type DownloadOptions, download } from './download.js';
export type { Composition, Family, FilePrediction, Size } from './families/family.js';
export { families } from './families/index.js';
export type { MicroConditioningOptions, MicroConditioningPair } from './families/sdxl/micro-conditioning.js';
export type { AttentionMap } from './generate/attention/attention-map.js';
export type {
  DoneEvent,
  EncodeEvent,
  GenerateResult,
  ImageEvent,
  PipelineEvent,
  StepEvent,
  Timings,
} from './generate/events.js';
export { type AttentionMapOptions, attentionMapTable } from './generate/options/attention.js';
export type { GuidanceOptions } from './generate/options/guidance.js';
export { type GenerateOptions, generateTables, type OutputOptions } from './generate/options/index.js';
export { type InitialImageOptions, type UpscaleOptions, upscaleTable } from './generate/options/initial.js';
export type { BlendOptions, PromptOptions, WeightedPrompt } from './generate/options/prompts.js';
export { randomSources, type SamplingOptions } from './generate/options/sampling.js';
export {
  type InterpolateOptions,
  type InterpolationEnd,
  type InterpolationFrame,
  interpolate,
} from './interpolate.js';
export type { FileKind, Inspection } from './load/inspect/inspection.js';
export { type InspectOptions, inspect } from './load/inspect.js';
export { type LoadPipelineOptions, loadTable, type ReplacedComponent } from './load/load-options.js';
export type { Place } from './load/locate.js';
export { loadPipeline } from './load-pipeline.js';
export { machineMemory } from './machine-memory.js';
export { type CreatePipelineOptions, createPipeline, type Pipeline } from './pipeline.js';
export type { Device, DeviceOptions } from './platform/device.js';
export { type RecordedRun, recordRun } from './record-run.js';
export type { Stages, TextStage } from './stages.js';
