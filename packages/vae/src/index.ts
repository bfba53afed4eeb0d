export type { CheckpointVae } from './checkpoint-vae.js';
export { type VaeConfig, vaeConfig, vaeSettings } from './config.js';
export { fitLatentRgb, type LatentRgb, linearPreview } from './linear-preview.js';
export type { TinyLevels, TinyVaeConfig } from './tiny-vae-config.js';
export { type LoadVaeOptions, loadVae } from './vae.js';
export { vaeDecoderGraph, vaeEncoderGraph } from './vae-graphs.js';
