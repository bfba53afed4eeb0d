import type { Graph } from './graph.js';
import type { LayerHook } from './layer-hook.js';

/** An addition to a model's linear layers and convolutions that leaves its weights unchanged, such as a LoRA. */
export interface LayerExtension {
  /** Unique among the extensions of a model; part of the names of its inputs: `strength.style`. */
  readonly name: string;
  /** Called once for each graph that is written: declares (optional) inputs and returns what to change. */
  extend(g: Graph): { readonly layer?: LayerHook };
}
