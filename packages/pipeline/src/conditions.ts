// Loaded when a model needs them.
export { guidanceEmbedding, microConditioning } from '@sd/unet';
