import type { Tensor, Warning } from '@sd/core';
import type { SdImage } from '@sd/image';

export type { Warning };

/** Milliseconds that each stage took. `total` is from the request's turn to its end, with what its reader took between events. */
export interface Timings {
  readonly encode: number;
  readonly denoise: number;
  readonly decode: number;
  readonly total: number;
}

export interface GenerateResult {
  /** The pictures; with a motion adapter, all frames of each clip one after the other. None with `output: 'latents'`. */
  readonly images: readonly SdImage[];
  /** [pictures, channels, height / 8, width / 8], those of clips frame by frame too, with `output: 'latents'`. */
  readonly latents?: Tensor<'float32'>;
  /** Seed of each picture or clip. */
  readonly seeds: readonly (number | bigint)[];
  /** Seed of each picture's second noise, if `variationStrength` was given. */
  readonly variationSeeds?: readonly (number | bigint)[];
  readonly timings: Timings;
  readonly warnings: readonly Warning[];
}

/** The prompts were encoded, and the pictures to start from. */
export interface EncodeEvent {
  readonly type: 'encode';
  readonly milliseconds: number;
}

/** The scheduler took a step. */
export interface StepEvent {
  readonly type: 'step';
  /** Which picture or clip, from 0. */
  readonly image: number;
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
   * one under the other.
   */
  readonly latents: Tensor<'float32'>;
  /** The model's estimate of the finished latents. */
  readonly denoised: Tensor<'float32'>;
  /**
   * A cheap small picture of that estimate, made only when asked for; of a clip one frame, from 0. By default the middle one,
   * since frames differ little while they are made, and to look on should cost no more than it does with a picture.
   */
  preview(frame?: number): Promise<SdImage>;
  readonly milliseconds: number;
}

/** A picture is finished. */
export interface ImageEvent {
  readonly type: 'image';
  /** Which of the result's `images` it is. */
  readonly image: number;
  readonly picture: SdImage;
  /** How long its decoding took. */
  readonly milliseconds: number;
}

export type PipelineEvent = EncodeEvent | StepEvent | ImageEvent;
