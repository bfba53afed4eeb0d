export type { LoraFamily } from './adapters/family.js';
export { originOf } from './adapters/family.js';
export { type Lora, type OpenLoraOptions, openLora } from './adapters/lora.js';
export { type LoraModule, readModules } from './adapters/modules.js';
