export { type ConformanceCase, ConformanceError, conforms, rejection, withStage } from './conformance.js';
export { backendSuite } from './testing/backend-suite.js';
