export type { LoraFamily } from './family.js';
export { type Lora, type OpenLoraOptions, openLora } from './lora.js';
