// Loaded when a model needs them.
export { guidanceEmbedding } from '@sd/unet';
export { checkMicroConditioning, toldCondition } from './micro-conditioning.js';
