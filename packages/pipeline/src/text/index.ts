export { type EncodedTexts, type EncodeTextsOptions, encodeTexts } from './encode.js';
export { sameLength } from './lengths.js';
export type { WeightMode } from './weights.js';
