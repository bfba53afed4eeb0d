// What a model in one file needs before it is loaded: a config from shapes, and names in diffusers' layout.
export { type AttentionHeads, unetConfigFromShapes } from './config-from-shapes.js';
export { originalUnetNames } from './names/original.js';
