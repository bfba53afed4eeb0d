import type { TensorView } from '@sd/weights';
import type { Value } from './value.js';

/** How a convolution moves over its input. */
export interface ConvOptions {
  readonly kernel: number;
  readonly stride: number;
  /** Rows and columns of zeros added: [top, left, bottom, right]. */
  readonly padding: readonly [number, number, number, number];
}

/** A linear layer or a convolution that was just written. */
export interface AdaptedLayer {
  /** The module's name in the checkpoint: `down_blocks.0.attentions.0.transformer_blocks.0.attn2.to_k`. */
  readonly module: string;
  /** [..., in], or [n, in, h, w] for a convolution. */
  readonly input: Value;
  /** The layer's output, after the hooks that ran before: [..., out], or [n, out, h', w']. */
  readonly output: Value;
  /** The layer's matrix [out, in] or kernel [out, in, k, k]; only the rows in `rows`, if set. */
  readonly weight: TensorView;
  readonly bias?: TensorView;
  /** For a layer that uses only some of a module's rows: from `start` (inclusive) to `end` (exclusive). */
  readonly rows?: { readonly start: number; readonly end: number };
  /** For a convolution only. */
  readonly conv?: ConvOptions;
}

/** Called for every layer: writes its additions and returns the layer's new output, or the old one to leave it alone. */
export type LayerHook = (layer: AdaptedLayer) => Value;
