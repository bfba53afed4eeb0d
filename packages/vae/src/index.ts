export { type VaeConfig, vaeConfig } from './config.js';
export { type CheckpointVae, type LoadVaeOptions, loadVae } from './vae.js';
export { vaeDecoderGraph, vaeEncoderGraph } from './vae-graphs.js';
