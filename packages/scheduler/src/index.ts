export {
  type FromConfigOptions,
  noiseScheduleFromConfig,
  parseSchedulerConfig,
  schedulerClasses,
  schedulerFromConfig,
  stableDiffusionConfig,
} from './config/from-config.js';
export { schedulerByName, schedulerNames } from './config/names.js';
export type { SchedulerConfig } from './config/schema.js';
export type { StepOptions } from './config/shared.js';
export { schedulerNamed } from './config/spellings.js';
export { type KnownOptions, knownOptions } from './config/unknown-options.js';
export {
  type CountedSampler,
  countsOf,
  createScheduler,
  type SchedulerParts,
  type Spacing,
} from './create-scheduler.js';
export { addNoise, edmDenoised } from './forward.js';
export { cleanLevel, flowLevel, type LevelAt, levelBetween, noiseRatio, preservingLevel } from './level.js';
export { clipSample, type DynamicThreshold, dynamicThreshold, type Limit } from './limits.js';
export { brownianNoise } from './noise/brownian.js';
export type { AncestralOptions } from './samplers/ancestral.js';
export { dpmpp2mCfgPp, eulerCfgPp } from './samplers/cfg-pp.js';
export type { Churn } from './samplers/churn.js';
export { type DdimOptions, ddim, type LevelShift } from './samplers/ddim.js';
export { type DdpmOptions, ddpm } from './samplers/ddpm.js';
export { type DeisOptions, deis } from './samplers/deis.js';
export {
  type DpmMultistepOptions,
  type DpmSolverOptions,
  dpmpp2m,
  dpmpp2mSde,
  dpmpp3mSde,
  dpmSolverMultistep,
  resMultistep,
} from './samplers/dpm-solver.js';
export { dpmSolverSinglestep } from './samplers/dpm-solver-singlestep.js';
export { type Dpm2Options, dpm2, dpm2Ancestral } from './samplers/dpm2.js';
export { dpmpp2sAncestral } from './samplers/dpmpp-2s-ancestral.js';
export { dpmppSde } from './samplers/dpmpp-sde.js';
export { type EulerOptions, euler } from './samplers/euler.js';
export { eulerAncestral } from './samplers/euler-ancestral.js';
export { heun } from './samplers/heun.js';
export { type LcmOptions, lcm } from './samplers/lcm.js';
export { ipndm, lms } from './samplers/multistep.js';
export { type PndmOptions, pndm } from './samplers/pndm.js';
export { type RestartInterval, type RestartOptions, restart } from './samplers/restart.js';
export { type SaSolverOptions, saSolver } from './samplers/sa-solver.js';
export { type SamplerRun, type StepFunction, stepwise } from './samplers/stepwise.js';
export { type TcdOptions, tcd } from './samplers/tcd.js';
export { type UniPcOptions, unipc } from './samplers/unipc.js';
export {
  alphasCumprodOf,
  cosineBetas,
  linearBetas,
  rescaleZeroTerminalSnr,
  scaledLinearBetas,
} from './schedules/betas.js';
export { type FlowOptions, flowSchedule, shiftSigma } from './schedules/flow-schedule.js';
export { discreteSchedule, type NoiseSchedule } from './schedules/noise-schedule.js';
export { alignYourSteps } from './spacings/align-your-steps.js';
export { comfyBeta } from './spacings/comfy-beta.js';
export {
  betaSigmas,
  exponentialSigmas,
  karrasSigmas,
  polyexponentialSigmas,
  type SigmaSpread,
} from './spacings/sigmas.js';
export {
  fixedSigmas,
  fixedTimesteps,
  logLinear,
  sgmUniform,
  sigmaSpacing,
  simple,
  timestepSpacing,
} from './spacings/spacings.js';
export { spacedTimesteps, type TimestepSpacing } from './spacings/timesteps.js';
