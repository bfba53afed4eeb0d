export { mockTokenizer } from './testing/mock.js';
export { tokenizerSuite } from './testing/suite.js';
