export { mockTokenizer } from './testing/mock.js';
export { type TokenizerSuiteOptions, tokenizerSuite } from './testing/suite.js';
