import type { Tensor, Warning } from '@sd/core';
import type { SdImage } from '@sd/image';

/** Milliseconds that each stage took. `total` is from the request's turn to its end, including what its reader took between events. */
export interface Timings {
  readonly encode: number;
  readonly denoise: number;
  readonly decode: number;
  readonly total: number;
}

export interface GenerateResult {
  /** The images; with a motion adapter, all frames of each clip one after the other. None with `output: 'latents'`. */
  readonly images: readonly SdImage[];
  /** [images, channels, height / 8, width / 8], those of clips frame by frame, with `output: 'latents'`. */
  readonly latents?: Tensor<'float32'>;
  /** Seed of each image or clip. */
  readonly seeds: readonly (number | bigint)[];
  /** Seed of each image's second noise, if `variationStrength` was given. */
  readonly variationSeeds?: readonly (number | bigint)[];
  readonly timings: Timings;
  readonly warnings: readonly Warning[];
}

/** The prompts were encoded, and the initial images. */
export interface EncodeEvent {
  readonly type: 'encode';
  readonly milliseconds: number;
}

/** The scheduler took a step. */
export interface StepEvent {
  readonly type: 'step';
  /** Which image or clip of the run, from 0. */
  readonly index: number;
  /**
   * Which step of it, from 0, and of how many, both passes of a run with `upscale` together. Schedulers with a warm-up take
   * more than were asked for.
   */
  readonly step: number;
  readonly steps: number;
  /** Timestep of the noise level that was reached. */
  readonly timestep: number;
  /** How many frames it has: 1, unless it is a clip. */
  readonly frames: number;
  /**
   * The latents at that level, [1, channels, height / 8, width / 8]; of a first pass at its own size. Frames of a clip are
   * stacked along the height.
   */
  readonly latents: Tensor<'float32'>;
  /** The model's estimate of the finished latents. */
  readonly denoised: Tensor<'float32'>;
  /**
   * A cheap small image of that estimate, made only when asked for; of a clip one frame, from 0. By default the middle one:
   * frames differ little while they are drawn, and looking on should cost no more than with an image.
   */
  preview(frame?: number): Promise<SdImage>;
  readonly milliseconds: number;
}

/** An image is finished. */
export interface ImageEvent {
  readonly type: 'image';
  /** Its index in the result's `images`. */
  readonly index: number;
  readonly image: SdImage;
  /** How long its decoding took. */
  readonly milliseconds: number;
}

export type PipelineEvent = EncodeEvent | StepEvent | ImageEvent;
