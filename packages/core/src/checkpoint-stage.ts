import type { StageResources } from './stages.js';

/**
 * A stage that adapters can change, such as a text encoder or a noise predictor over a checkpoint. Optional: a stage of your
 * own without it draws as any other, and `attach()` refuses the adapters that would change it.
 */
export interface Extendable<Extension = unknown> extends StageResources {
  /**
   * The same model with these extensions in place of those that this stage has: another stage, with a session of its own.
   * Throws what an extension throws that does not fit the model.
   */
  withExtensions(extensions: readonly Extension[]): Extendable<Extension>;
}

/** A stage over a checkpoint's files. Optional, as `Extendable`: some adapters need the model's shape to fit theirs to it. */
export interface CheckpointStage<Config = unknown, Extension = unknown> extends Extendable<Extension> {
  /** The model's shape, as its loader read it. */
  readonly config: Config;
  /** Names of the tensors in its files that the model does not use. */
  readonly unusedTensors: readonly string[];
}

/**
 * A noise predictor that was exported with inputs for ControlNets, or with ControlNets inside. Optional: a noise predictor
 * over a checkpoint gets such inputs when a ControlNet is attached.
 */
export interface ResidualInputs {
  /** Names of the inputs that take what a ControlNet computes; empty where it was exported without. */
  readonly residuals: readonly string[];
  /** How many ControlNets its own graph contains. */
  readonly controlNets: number;
}

export function isExtendable(stage: object): stage is Extendable {
  return 'withExtensions' in stage;
}

export function isCheckpointStage(stage: object): stage is CheckpointStage {
  return 'config' in stage && isExtendable(stage);
}

export function hasResidualInputs(stage: object): stage is ResidualInputs {
  return 'residuals' in stage;
}
