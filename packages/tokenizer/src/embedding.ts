export { type EndTokens, withEndTokens } from './embedding/end-tokens.js';
export {
  type EncodedText,
  joinTokens,
  padTokens,
  padToSameLength,
  repeatToSameLength,
} from './embedding/lengths.js';
export { mixAblated, scaleFromEmpty, scaleKeepingMean, type WeightedHidden, weightedSum } from './embedding/weights.js';
