// What a model in one file needs before it is loaded: a config from shapes, and names in diffusers' layout.
export { vaeConfigFromShapes } from './config-from-shapes.js';
export { vaeNames } from './names/diffusers.js';
export { originalTinyVaeNames, originalVaeNames } from './names/original.js';
