export type { LoraFamily } from './family.js';
export { originOf } from './family.js';
export { type Lora, type OpenLoraOptions, openLora } from './lora.js';
export { type LoraModule, readModules } from './modules.js';
