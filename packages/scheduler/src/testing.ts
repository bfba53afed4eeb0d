export { flowError, isFalling, measureOrder, orderLevels } from './testing/convergence.js';
export {
  constantDenoiser,
  exampleMixture,
  type MixtureComponent,
  mixtureDenoiser,
  testNoise,
} from './testing/denoisers.js';
export { type SamplerSuiteOptions, samplerSuite } from './testing/sampler-suite.js';
export { schedulerSuite } from './testing/scheduler-suite.js';
