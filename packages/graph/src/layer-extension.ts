import type { Graph } from './graph.js';
import type { LayerHooks } from './layer-hook.js';

/** An addition to a model's layers that leaves its weights unchanged, such as a LoRA. */
export interface LayerExtension {
  /** Unique among the extensions of a model; part of the names of its inputs: `strength.style`. */
  readonly name: string;
  /** Called once for each graph that is written: declares (optional) inputs and returns what to change. */
  extend(g: Graph): LayerHooks;
}

/** Adds extensions to a graph: they change the layers that are written from now on, in order. */
export function extendLayers(g: Graph, extensions: readonly LayerExtension[]): void {
  for (const extension of extensions) g.addHooks(extension.extend(g));
}
