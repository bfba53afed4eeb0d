export { type MmditConfig, mmditConfig } from './config.js';
export { mmditConfigFromShapes } from './config-from-shapes.js';
export { type CheckpointMmdit, type LoadMmditOptions, loadMmdit } from './mmdit.js';
export { type MmditGraphOptions, mmditGraph } from './mmdit-graph.js';
export { originalMmditTensors } from './names/original.js';
