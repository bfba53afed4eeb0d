export { type UnetConfig, type UnetLevel, unetConfig } from './config.js';
export { createDenoiser, type DenoiserOptions } from './denoiser.js';
export {
  type ClassifierFreeGuidanceOptions,
  classifierFreeGuidance,
  type Guidance,
  type GuidanceInput,
} from './guidance.js';
export { type CheckpointUnet, type LoadUnetOptions, loadUnet } from './unet.js';
export { unetGraph } from './unet-graph.js';
