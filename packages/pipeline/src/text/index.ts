export { type EncodeTextsOptions, encodeTexts } from './encode.js';
export { sameLength } from './lengths.js';
