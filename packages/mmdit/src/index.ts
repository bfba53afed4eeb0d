export { type MmditConfig, mmditConfig } from './config.js';
export { type CheckpointMmdit, type LoadMmditOptions, loadMmdit } from './mmdit.js';
export { type MmditGraphOptions, mmditGraph } from './mmdit-graph.js';
