export { type AddedEmbedding, type UnetConfig, type UnetLevel, unetConfig, unetSettings } from './config.js';
export { type AttentionHeads, unetConfigFromShapes } from './config-from-shapes.js';
export type { AttentionCall, AttentionSources, UnetExtension, UnetHooks } from './extension.js';
export { originalControlNetNames, originalUnetNames } from './names/original.js';
export { type CheckpointUnet, type LoadUnetOptions, loadUnet } from './unet.js';
export { type UnetGraphOptions, unetGraph } from './unet-graph.js';
