export {
  type FromConfigOptions,
  parseSchedulerConfig,
  schedulerClasses,
  schedulerFromConfig,
  stableDiffusionConfig,
} from './config/from-config.js';
export type { SchedulerConfig } from './config/schema.js';
export type { StepOptions } from './config/shared.js';
export { type CountedSampler, createScheduler, type SchedulerParts, type Spacing } from './create-scheduler.js';
export { addNoise, convertPrediction } from './forward.js';
export { flowLevel, type LevelAt, levelBetween, noiseRatio, preservingLevel } from './level.js';
export { clipSample, type DynamicThreshold, dynamicThreshold, type Limit } from './limits.js';
export { type DdimOptions, ddim, type LevelShift } from './samplers/ddim.js';
export { type Churn, type EulerOptions, euler } from './samplers/euler.js';
export { type PndmOptions, pndm } from './samplers/pndm.js';
export {
  alphasCumprodOf,
  cosineBetas,
  linearBetas,
  rescaleZeroTerminalSnr,
  scaledLinearBetas,
} from './schedules/betas.js';
export { discreteSchedule, type NoiseSchedule } from './schedules/noise-schedule.js';
export { betaSigmas, exponentialSigmas, karrasSigmas } from './spacings/sigmas.js';
export { spacedTimesteps, type TimestepSpacing } from './spacings/timesteps.js';
