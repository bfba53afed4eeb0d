import type { TensorView } from '@sd/weights';
import type { Value } from './value.js';

/** How a convolution moves over its input. */
export interface ConvOptions {
  readonly kernel: number;
  readonly stride: number;
  /** Rows and columns of zeros added: [top, left, bottom, right]. */
  readonly padding: readonly [number, number, number, number];
}

/** Rows of a module's matrix, from `start` (inclusive) to `end` (exclusive). */
export interface LayerRows {
  readonly start: number;
  readonly end: number;
  /** The module with all of its rows. */
  readonly module: { readonly weight: TensorView; readonly bias?: TensorView };
}

/** A linear layer or a convolution that was just written. */
export interface AdaptedLayer {
  /** The module's name in the checkpoint: `down_blocks.0.attentions.0.transformer_blocks.0.attn2.to_k`. */
  readonly module: string;
  /** [..., in], or [n, in, h, w] for a convolution. */
  readonly input: Value;
  /** The layer's output, after the hooks that ran before: [..., out], or [n, out, h', w']. */
  readonly output: Value;
  /** The layer's output before any hook, in the same shape. */
  readonly plain: Value;
  /** The layer's matrix [out, in] or kernel [out, in, k, k]; only the rows in `rows`, if set. */
  readonly weight: TensorView;
  readonly bias?: TensorView;
  /** For a layer that uses only some of a module's rows. */
  readonly rows?: LayerRows;
  /** For a convolution only. */
  readonly conv?: ConvOptions;
}

/** Called for every layer: writes its additions and returns the layer's new output, or the old one to leave it alone. */
export type LayerHook = (layer: AdaptedLayer) => Value;

/** A normalization that is about to be written. */
export interface AdaptedNorm {
  /** The module's name in the checkpoint: `mid_block.resnets.0.norm1`. */
  readonly module: string;
  /** Channels, or the width of what is normalized. */
  readonly size: number;
}

/** What is added to a normalization's scale and shift, [size] each. */
export interface NormChange {
  readonly scale?: Value;
  readonly shift?: Value;
}

/** Called for every normalization with a scale; undefined to leave it alone. */
export type NormHook = (norm: AdaptedNorm) => NormChange | undefined;

/** Rows of a table that were just looked up, such as the embeddings of tokens. */
export interface AdaptedTable {
  /** The module's name in the checkpoint: `embeddings.token_embedding`. */
  readonly module: string;
  /** [count, width] */
  readonly table: TensorView;
  /** int64 [...] */
  readonly ids: Value;
  /** The rows, after the hooks that ran before: [..., width]. */
  readonly output: Value;
}

/** Called for a table's rows: returns the new rows, or the old ones to leave them alone. */
export type TableHook = (table: AdaptedTable) => Value;

/** Changes that an extension makes to a model's layers. */
export interface LayerHooks {
  readonly layer?: LayerHook;
  readonly norm?: NormHook;
  readonly table?: TableHook;
}
