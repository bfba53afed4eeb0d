export { type ClipTextEncoder, type LoadTextEncoderOptions, loadTextEncoder } from './clip-text-encoder.js';
export { clipTextGraph } from './clip-text-graph.js';
export { type ClipTextConfig, clipTextConfig } from './config.js';
