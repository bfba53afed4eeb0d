export { loadTokenizer } from './load.js';
export {
  createT5Tokenizer,
  loadT5Tokenizer,
  type T5Tokenizer,
  type T5TokenizerFiles,
  type T5TokenizerOptions,
} from './t5-tokenizer.js';
export { type ClipTokenizer, createTokenizer, type TokenizerFiles } from './tokenizer.js';
