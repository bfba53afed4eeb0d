import type { StageResources } from './stages.js';

/**
 * A stage that adapters such as a LoRA can change: a text encoder or a noise predictor. Optional: a custom stage without it
 * works in every other respect, and `attach()` refuses adapters that would have to change it.
 */
export interface Extendable<Extension = unknown> extends StageResources {
  /**
   * Returns another stage for the same model, with these extensions in place of the current ones and a separate session; this
   * stage stays as it is. Throws what an extension throws if it does not fit the model.
   */
  withExtensions(extensions: readonly Extension[]): Extendable<Extension>;
  /**
   * Rejects if the files that `load()` reads have changed since they were opened; reads no weights. So a stage in use
   * is not freed for a stage that could not be loaded.
   */
  checkFiles?(): Promise<void>;
}

/** A stage built from a checkpoint's files. Optional like `Extendable`: some adapters read `config` to match the model's shape. */
export interface CheckpointStage<Config = unknown, Extension = unknown> extends Extendable<Extension> {
  /** The model's architecture, as its loader read it. */
  readonly config: Config;
  /** Names of the tensors in the files that the model does not use. */
  readonly unusedTensors: readonly string[];
}

/**
 * A noise predictor that was exported to ONNX with inputs for a ControlNet's residuals, or with ControlNets in its graph.
 * Optional: one built from a checkpoint gains such inputs when a ControlNet is attached.
 */
export interface ResidualInputs {
  /** Names of the inputs for a ControlNet's residuals; empty if it was exported without them. */
  readonly residuals: readonly string[];
  /** Number of ControlNets in its graph. */
  readonly controlNets: number;
}

/** True if adapters can change the stage. */
export function isExtendable(stage: object): stage is Extendable {
  return 'withExtensions' in stage;
}

/** True if the stage was built from a checkpoint's files. */
export function isCheckpointStage(stage: object): stage is CheckpointStage {
  return 'config' in stage && isExtendable(stage);
}

/** True if the noise predictor was exported with inputs for ControlNets, or with ControlNets. */
export function hasResidualInputs(stage: object): stage is ResidualInputs {
  return 'residuals' in stage;
}
