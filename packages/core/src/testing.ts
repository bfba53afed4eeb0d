export { type ConformanceCase, ConformanceError, conforms, rejection } from './conformance.js';
export { backendSuite } from './testing/backend-suite.js';
