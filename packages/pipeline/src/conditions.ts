// Loaded when a model needs them.
export { guidanceEmbedding } from '@sd/guidance';
export { checkMicroConditioning, toldCondition } from './micro-conditioning.js';
