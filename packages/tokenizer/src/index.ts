export { loadTokenizer } from './load.js';
export { type ClipTokenizer, createTokenizer, type TokenizerFiles } from './tokenizer.js';
