import type { Warning } from '@sd/core';
import type { GenerateOptions, PromptSyntaxName, Timings, UpscaleOptions } from '@sd/pipeline';

/**
 * What draws for a server: pipelines in this process (`localEngine`), or a queue whose workers draw elsewhere. Everything
 * that goes in and out is plain data and bytes, so that it can be sent to another machine.
 */
export interface Engine {
  /** The models that a job can name, the default first. */
  models(): Promise<readonly ModelInfo[]>;
  /** The LoRAs that a job can name. */
  loras?(): Promise<readonly LoraInfo[]>;
  /**
   * Draws a job's images. The events end after `done`; leaving the loop, or an abort, ends the job within one step.
   *
   * Throws a BusyError if no more jobs can wait, an UnknownModelError, an InvalidOptionError of the request, an AbortError,
   * or any other SdError of loading or drawing.
   */
  run(job: Job, signal: AbortSignal): AsyncIterable<EngineEvent>;
  /** Whether it can take jobs, and what it is doing. */
  status(): Promise<EngineStatus>;
  /** Frees what it holds. Jobs that still run end with a DisposedError or an AbortError. */
  close(): Promise<void>;
}

export interface ModelInfo {
  /** The name that jobs use. */
  readonly name: string;
  /** Seconds since 1970 at which it was made or changed; 0 if unknown. */
  readonly created: number;
  /** Where its files are, for people to read. */
  readonly place?: string | undefined;
  readonly isLoaded?: boolean | undefined;
}

export interface LoraInfo {
  readonly name: string;
  readonly path: string;
}

/** What to draw: those options of `generate()` that are data. Those left out have the model's defaults. */
export interface GenerateRequest
  extends Pick<
    GenerateOptions,
    | 'negativePrompt'
    | 'clipSkip'
    | 'steps'
    | 'seed'
    | 'count'
    | 'variationSeed'
    | 'variationStrength'
    | 'guidanceScale'
    | 'guidanceRescale'
    | 'width'
    | 'height'
    | 'strength'
    | 'fit'
  > {
  readonly prompt: string;
  readonly syntax?: PromptSyntaxName | undefined;
  /** A short name such as `dpmpp-2m-karras`, or a class of diffusers. */
  readonly scheduler?: string | undefined;
  readonly rng?: 'torch-cpu' | 'nv-philox' | 'numpy' | undefined;
  readonly upscale?: UpscaleOptions | undefined;
  /** The bytes of an image file to start from. */
  readonly image?: Uint8Array | undefined;
  /** The bytes of an image file that is white where `image` is repainted. */
  readonly mask?: Uint8Array | undefined;
  /** Strengths of LoRAs by their names in `loras()`. Those that the prompt names in A1111's syntax are found too. */
  readonly loras?: Readonly<Record<string, number>> | undefined;
}

export interface Job {
  /** Unique among running jobs: it is in logs and traces. */
  readonly id: string;
  /** A model's name; by default the first of `models()`. */
  readonly model?: string | undefined;
  readonly request: GenerateRequest;
  /** How many previews of each unfinished image to send, spread evenly over its steps; 0 by default. */
  readonly previews?: number | undefined;
  /** How images are encoded; previews are too. PNG by default. */
  readonly output?: OutputFormat | undefined;
  /** Whom it is for, where an engine is fair by user. */
  readonly user?: string | undefined;
}

export interface OutputFormat {
  readonly format: 'png' | 'jpeg' | 'webp';
  /** From 0 to 100, for JPEG and WebP. */
  readonly quality?: number | undefined;
}

/** An encoded image. */
export interface EncodedImage {
  readonly bytes: Uint8Array;
  /** Such as `image/png`. */
  readonly mediaType: string;
  /** In pixels. */
  readonly width: number;
  readonly height: number;
}

export type EngineEvent =
  | QueuedEvent
  | StartedEvent
  | StepProgressEvent
  | PreviewEvent
  | FinishedImageEvent
  | DoneEvent;

/** The job waits; sent again when its position changes. */
export interface QueuedEvent {
  readonly type: 'queued';
  /** How many jobs are before it. */
  readonly position: number;
}

/** The job's turn has come. */
export interface StartedEvent {
  readonly type: 'started';
  /** The model's name. */
  readonly model: string;
}

export interface StepProgressEvent {
  readonly type: 'step';
  /** Index of the image in the job, from 0. */
  readonly index: number;
  /** Index of the step, from 0, and the number of steps of the image. */
  readonly step: number;
  readonly steps: number;
}

/** A small image of unfinished latents. */
export interface PreviewEvent {
  readonly type: 'preview';
  readonly index: number;
  readonly step: number;
  readonly steps: number;
  readonly image: EncodedImage;
}

export interface FinishedImageEvent {
  readonly type: 'image';
  readonly index: number;
  readonly seed: number | bigint;
  readonly image: EncodedImage;
  /** Its settings in A1111's format, which the file has too. */
  readonly parameters: string;
}

/** The last event. */
export interface DoneEvent {
  readonly type: 'done';
  readonly warnings: readonly Warning[];
  readonly timings: Timings;
}

export interface EngineStatus {
  /** False while it cannot take jobs: it is closing, or its queue cannot be reached. */
  readonly isReady: boolean;
  /** Jobs that are drawn now. */
  readonly running: number;
  /** Jobs that wait. */
  readonly waiting: number;
  /** Names of the models in memory. */
  readonly loaded: readonly string[];
}
