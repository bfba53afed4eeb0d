import type { Failure } from '@sd/core';
import type { ImageData, JobResultData } from './result.js';

/** What happens to a job, as it is in its stream. The last event is `done`, `failed` or `cancelled`. */
export type StoredEvent =
  | StartedEvent
  | StepEvent
  | StoredPreview
  | { readonly type: 'image'; readonly image: ImageData }
  | ReturnedEvent
  | { readonly type: 'done'; readonly result: JobResultData }
  | { readonly type: 'failed'; readonly failure: Failure }
  | CancelledEvent;

/** The job waits; sent again when its position changes. */
export interface QueuedEvent {
  readonly type: 'queued';
  /** How many jobs are before it that need the same model and adapters. */
  readonly position: number;
}

/** A worker draws the job. After the first attempt's worker died, another begins anew. */
export interface StartedEvent {
  readonly type: 'started';
  readonly model: string;
  readonly worker: string;
  /** From 1. */
  readonly attempt: number;
}

/** A step was taken. */
export interface StepEvent {
  readonly type: 'step';
  /** Index of the image in the job, from 0. */
  readonly index: number;
  /** Index of the step, from 0, and the number of steps of the image. */
  readonly step: number;
  readonly steps: number;
}

interface StoredPreview extends Omit<StepEvent, 'type'> {
  readonly type: 'preview';
  readonly width: number;
  readonly height: number;
  /** A PNG file in base64. */
  readonly png: string;
}

/** A small image of unfinished latents. */
export interface PreviewEvent extends Omit<StepEvent, 'type'> {
  readonly type: 'preview';
  readonly width: number;
  readonly height: number;
  /** A PNG file. */
  readonly bytes: Uint8Array;
}

/** The worker stopped and gave the job back: it waits again. */
export interface ReturnedEvent {
  readonly type: 'returned';
}

export interface CancelledEvent {
  readonly type: 'cancelled';
}
