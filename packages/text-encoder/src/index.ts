export { type ClipTextEncoder, type LoadTextEncoderOptions, loadTextEncoder } from './clip-text-encoder.js';
export { type ClipTextGraphOptions, clipTextGraph } from './clip-text-graph.js';
export { type ClipTextConfig, clipTextConfig } from './config.js';
export { type T5Config, t5Config } from './t5/config.js';
export { type T5GraphOptions, t5Graph } from './t5/t5-graph.js';
export { type LoadT5EncoderOptions, loadT5Encoder, type T5TextEncoder } from './t5/t5-text-encoder.js';
