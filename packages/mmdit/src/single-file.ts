// What a model in one file needs before it is loaded: a config from shapes, and names in diffusers' layout.
export { mmditConfigFromShapes } from './config-from-shapes.js';
export { originalMmditTensors } from './names/original.js';
