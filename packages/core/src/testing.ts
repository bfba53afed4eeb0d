export { type ConformanceCase, ConformanceError, conforms, rejection, withStage } from './conformance.js';
export { backendSuite } from './testing/backend-suite.js';
export { mockUnet, type UnetSuiteOptions, unetSuite } from './testing/unet-suite.js';
