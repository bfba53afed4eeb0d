export { type LinkedSignal, linkSignals, pause, throwIfAborted, untilAborted } from './abort.js';
export type {
  Backend,
  BackendFeatures,
  Model,
  ModelHints,
  RunOptions,
  Session,
  TensorInfo,
  WeightFile,
} from './backend.js';
export { barrier, callersCode, isStageError, readerBarrier, typedError } from './barrier.js';
export {
  type CheckpointStage,
  type Extendable,
  hasResidualInputs,
  isCheckpointStage,
  isExtendable,
  type ResidualInputs,
} from './checkpoint-stage.js';
export * from './errors.js';
export { type Failure, fromFailure, toFailure } from './failure.js';
export { checkFeeds, checkOutputs, type RawTensorInfo, toTensorInfo } from './feeds.js';
export { expectFilesOpen, lazyImport } from './lazy-import.js';
export { type LazySession, lazySession } from './lazy-session.js';
export { convertPrediction } from './prediction.js';
export { numpyLegacy } from './random/numpy-legacy.js';
export { nvPhilox } from './random/nv-philox.js';
export { torchCpu } from './random/torch-cpu.js';
export type { RandomSource, RandomSourceFactory } from './random.js';
export { readText } from './read-text.js';
export type {
  Denoiser,
  GuidedDenoiser,
  NoiseLevel,
  NoiseOptions,
  NoiseSource,
  Preconditioning,
  Prediction,
  Sampler,
  SamplerOptions,
  SamplerStep,
  SamplingPlan,
  Scheduler,
} from './sampling.js';
export { settleAll } from './settle.js';
export { messageOf, show } from './show.js';
export { type ByteRange, type Source, withMethods } from './source.js';
export type {
  Conditions,
  ImageEmbedding,
  ImageEncoder,
  ImagePreprocessing,
  LatentDistribution,
  NoisePredictor,
  NoisePredictorInput,
  StageResources,
  TextEmbedding,
  TextEncoder,
  TextEncoderOptions,
  Tokenizer,
  Tokens,
  Vae,
} from './stages.js';
export {
  expectFinite,
  expectTensor,
  row,
  sizeOf,
  stack,
  type Tensor,
  type TensorData,
  type TensorType,
  tensor,
} from './tensor.js';
export type { Warning } from './warning.js';
