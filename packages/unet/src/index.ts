export { type UnetConfig, type UnetLevel, unetConfig } from './config.js';
export { type CheckpointUnet, type LoadUnetOptions, loadUnet } from './unet.js';
export { unetGraph } from './unet-graph.js';
