export { type ClipTextEncoder, type LoadTextEncoderOptions, loadTextEncoder } from './clip-text-encoder.js';
export { type ClipTextGraphOptions, clipTextGraph } from './clip-text-graph.js';
export { type ClipTextConfig, clipTextConfig } from './config.js';
export { type ClipTextFacts, clipTextConfigFromShapes } from './config-from-shapes.js';
export { openClipTensors } from './names/open-clip.js';
export { clipTextNames } from './names/transformers.js';
