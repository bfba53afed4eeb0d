import type { TensorView } from '@sd/weights';
import type { Graph } from './graph.js';
import type { Value } from './value.js';

/** How a convolution moves over its input. */
export interface ConvOptions {
  readonly kernel: number;
  readonly stride: number;
  /** Rows and columns added: [top, left, bottom, right]. */
  readonly padding: readonly [number, number, number, number];
}

/** A linear layer or a convolution that was just written, as an adapter sees it. */
export interface AdaptedLayer {
  /** The module's name in the checkpoint: `down_blocks.0.attentions.0.transformer_blocks.0.attn2.to_k`. */
  readonly module: string;
  /** [..., in], or [n, in, h, w] of a convolution. */
  readonly input: Value;
  /** What the layer gives so far: [..., out], or [n, out, h', w']. */
  readonly output: Value;
  /** The layer's own matrix [out, in], or [out, in, k, k]; where only some of a module's rows are used, those. */
  readonly weight: TensorView;
  readonly bias?: TensorView;
  /** Which of the module's rows these are, where only some are used: from `start` up to, not including, `end`. */
  readonly rows?: { readonly start: number; readonly end: number };
  /** Of a convolution. */
  readonly conv?: ConvOptions;
}

/** Changes what a layer gives: writes what it adds, and returns the new output, or the old one for a layer it leaves alone. */
export type LayerAdapter = (layer: AdaptedLayer) => Value;

/** Something that is added to a model's linear layers and convolutions, without a change to its weights. */
export interface LayerExtension {
  /** Its name among those of one model, which its inputs have in theirs: `strength.style`. */
  readonly name: string;
  /** Called once for each graph that is written: asks for its (optional) inputs, and says what it changes. */
  extend(g: Graph): { readonly layer?: LayerAdapter };
}
