export { completeFeeds, type GraphInput, type GraphModel } from './feeds.js';
export { scoreBytes } from './forms/attention.js';
export type { Rows } from './forms/rows.js';
export { Graph } from './graph.js';
export { extendLayers, type LayerExtension } from './layer-extension.js';
export type {
  AdaptedLayer,
  AdaptedNorm,
  AdaptedTable,
  ConvOptions,
  LayerHook,
  LayerHooks,
  LayerRows,
  NormChange,
  NormHook,
  TableHook,
} from './layer-hook.js';
export { type ClipLayerOptions, clipLayer } from './modules/clip-layer.js';
export { type ResnetBlockOptions, resnetBlock } from './modules/resnet-block.js';
export type { GraphOptions } from './nodes.js';
export { Scope, type TensorLookup } from './scope.js';
export { type Dim, staticDim, type Value } from './value.js';
