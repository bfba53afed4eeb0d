export type { ModelsOptions } from '../shared/models.js';
export { defineSdCanvas, type SdCanvas } from './sd-canvas.js';
