export { type ConformanceCase, ConformanceError, conforms, rejection, withStage } from './conformance.js';
export { backendSuite } from './testing/backend-suite.js';
export {
  mockNoisePredictor,
  type NoisePredictorSuiteOptions,
  noisePredictorSuite,
} from './testing/noise-predictor-suite.js';
