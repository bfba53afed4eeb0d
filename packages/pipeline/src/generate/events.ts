import type { Tensor, Warning } from '@sd/core';
import type { SdImage } from '@sd/image';
import type { AttentionMap } from './attention/attention-map.js';

/**
 * Milliseconds spent in each stage. `total` is the time from the start of the run, after any wait in the queue, to its end,
 * including the time that the reader of `stream` spent between events.
 */
export interface Timings {
  readonly encode: number;
  readonly denoise: number;
  readonly decode: number;
  readonly total: number;
}

export interface GenerateResult {
  /** The images; with a motion adapter, the frames of each clip in order. Empty with `output: 'latents'`. */
  readonly images: readonly SdImage[];
  /** With `output: 'latents'`: [images, channels, height / 8, width / 8], clips frame by frame. */
  readonly latents?: Tensor<'float32'> | undefined;
  /** The seed of each image or clip. */
  readonly seeds: readonly (number | bigint)[];
  /** The seed of each image's second noise, if `variationStrength` was given. */
  readonly variationSeeds?: readonly (number | bigint)[] | undefined;
  /** With the option `attentionMaps`: for each image, the maps of the prompt's words in their order. */
  readonly attentionMaps?: readonly (readonly AttentionMap[])[] | undefined;
  readonly timings: Timings;
  readonly warnings: readonly Warning[];
}

/** The prompts and the initial images were encoded. */
export interface EncodeEvent {
  readonly type: 'encode';
  readonly milliseconds: number;
}

/** The scheduler took a step. */
export interface StepEvent {
  readonly type: 'step';
  /** Index of the image or clip in the run, from 0. */
  readonly index: number;
  /**
   * Index of the step, from 0, and the number of steps; with `upscale`, both passes count as one. Schedulers with a warm-up
   * take more steps than `GenerateOptions.steps`.
   */
  readonly step: number;
  readonly steps: number;
  /** Timestep of the noise level after the step. */
  readonly timestep: number;
  /** Number of frames: 1, unless it is a clip. */
  readonly frames: number;
  /**
   * The latents at that level, [1, channels, height / 8, width / 8], at the size of the current pass. A clip's frames are
   * stacked along the height.
   */
  readonly latents: Tensor<'float32'>;
  /** The model's estimate of the finished latents. */
  readonly denoised: Tensor<'float32'>;
  /**
   * Decodes a small, cheap image of that estimate. Of a clip, it decodes one frame, from 0; by default the middle one, since
   * the frames of an unfinished clip differ little.
   */
  preview(frame?: number): Promise<SdImage>;
  readonly milliseconds: number;
}

/** An image is finished. */
export interface ImageEvent {
  readonly type: 'image';
  /** Index in the result's `images`. */
  readonly index: number;
  readonly image: SdImage;
  /** With the option `attentionMaps`: the maps of the prompt's words. */
  readonly attentionMaps?: readonly AttentionMap[] | undefined;
  /** The seed of the image, or of the clip that it is a frame of. */
  readonly seed: number | bigint;
  /** Time that its decoding took. */
  readonly milliseconds: number;
}

/** The last event of a run: what `generate` returns, without the images. */
export interface DoneEvent extends Omit<GenerateResult, 'images'> {
  readonly type: 'done';
}

export type PipelineEvent = EncodeEvent | StepEvent | ImageEvent | DoneEvent;
