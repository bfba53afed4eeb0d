import { CheckpointError, type Source, type Warning } from '@sd/core';
import { hasFile, type ModelFolder, type ModelParts, readConfig } from '@sd/weights';
import type { Family, Json } from '../families/family.js';

/** A model's files, whatever their layout. */
export interface ModelFiles {
  /** Has `model_index.json` and the folders of the scheduler and the tokenizers, as diffusers lays them out. */
  readonly files: Source;
  /** The family, where the weights tell it; else `model_index.json` does. */
  readonly family?: Family | undefined;
  /** The weights and config of a component. Throws a CheckpointError for one that is not there. */
  component(name: string): ModelFolder | ModelParts;
  /** The values of a component's config, for weights of another file. */
  settings(component: string): Promise<Json>;
  /** The components that were exported to ONNX, and the source and folder of each. */
  readonly exported: ReadonlyMap<string, { readonly source: Source; readonly folder?: string }>;
  readonly warnings: readonly Warning[];
}

/** A folder in diffusers' layout. */
export function folderFiles(source: Source, variant: string | undefined): ModelFiles {
  return {
    files: source,
    component: (folder) => ({ source, folder, ...(variant !== undefined && { variant }) }),
    async settings(component) {
      const file = `${component}/config.json`;
      return (await hasFile(source, file)) ? Object.fromEntries((await readConfig(source, file)).entries()) : {};
    },
    exported: new Map(),
    warnings: [],
  };
}

/** Throws the CheckpointError for a component that a model in one file does not have. */
export function missingComponent(path: string, name: string): CheckpointError {
  return new CheckpointError(
    'missing-tensor',
    path,
    `has no ${name}. Give a folder that has one as the option config.`,
  );
}
