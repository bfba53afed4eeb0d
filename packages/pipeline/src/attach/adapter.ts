import type { Tensor, Warning } from '@sd/core';
import type { LayerExtension } from '@sd/graph';
import type { Condition } from '@sd/guidance';
import type { Pixels } from '@sd/image';
import type { UnetExtension } from '@sd/unet';

/** What can be attached to a pipeline. */
export type AdapterKind =
  | 'lora'
  | 'hypernetwork'
  | 'textual-inversion'
  | 'controlnet'
  | 't2i-adapter'
  | 'ip-adapter'
  | 'motion-adapter';

/** Something that was attached to a pipeline. */
export interface Attachment {
  /** What `generate` calls it by. */
  readonly name: string;
  readonly kind: AdapterKind;
}

/** What `attach` gives. */
export interface AttachResult extends Attachment {
  /** What of the file has no use: tensors that nobody knows, modules that the model has not. */
  readonly warnings: readonly Warning[];
}

/** What an attached file brings, and where it goes. */
export interface Adapter extends Attachment {
  readonly unet?: UnetExtension;
  readonly textEncoder?: LayerExtension;
  readonly textEncoder2?: LayerExtension;
  /** Words that it teaches the text encoders. */
  readonly words?: LearnedWords;
  /** Makes the U-Net see pictures. */
  readonly pictures?: PictureReader;
  /** Is it a part of the U-Net's own graph? Then it stays there, acts on all of a call alike, and sees one picture in a run. */
  readonly fused?: boolean;
  /** The most frames of a clip, for a motion adapter. */
  readonly maxFrames?: number;
  /** Called once the graphs are written: throws a CheckpointError where what it brings found no place in them. */
  check?(): void;
  /** Called after `check`: what of the file has no use. */
  warnings?(): readonly Warning[];
  /** Frees what it holds between uses, beside those extensions. */
  release?(): Promise<void>;
  /** Frees it for good. */
  dispose?(): Promise<void>;
}

/** Words that mean vectors, [count, width], which a text encoder reads in place of its own. */
export interface LearnedWords {
  readonly words: readonly string[];
  readonly textEncoder: Tensor<'float32'> | undefined;
  readonly textEncoder2: Tensor<'float32'> | undefined;
}

/** Reads pictures for a run: a ControlNet, an IP-Adapter. */
export interface PictureReader {
  /**
   * Takes the picture of one entry of `controls`, or all of one of `imagePrompts`; `option` names them in messages:
   * `controls[0].image`. What it gives reads them, and is asked once for each size that is drawn.
   */
  read(pictures: readonly Pixels[], option: string): (drawing: Drawing) => Promise<(use: PictureUse) => Condition>;
}

/** What is drawn, for the reading of pictures. */
export interface Drawing {
  /** Size of the picture that is drawn, in pixels. */
  readonly width: number;
  readonly height: number;
  readonly signal: AbortSignal | undefined;
}

/** How pictures that were read act in one pass of a run. */
export interface PictureUse {
  /** Asked at each call of the model; 0 while they do not act. */
  readonly strength: () => number;
  /** A ControlNet's guess mode. */
  readonly guess: boolean;
  /** What the U-Net hears beside text by itself, as SDXL's do: a ControlNet hears the same. */
  readonly told: Condition | undefined;
  readonly signal: AbortSignal | undefined;
}
