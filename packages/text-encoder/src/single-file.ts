// What a model in one file needs before it is loaded: configs from shapes, and names in transformers' layout.
export { type ClipTextFacts, clipTextConfigFromShapes } from './config-from-shapes.js';
export { openClipTensors } from './names/open-clip.js';
export { clipTextNames } from './names/transformers.js';
export { t5ConfigFromShapes } from './t5/config-from-shapes.js';
export { t5EncoderNames } from './t5/names.js';
