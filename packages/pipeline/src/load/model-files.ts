import { CheckpointError, type Source, type Warning } from '@sd/core';
import { hasFile, type ModelFolder, type ModelParts, readConfig } from '@sd/weights';
import type { Family, Json } from '../families/family.js';

/** A model's files in any layout. */
export interface ModelFiles {
  /** Has `model_index.json` and the folders of the scheduler and the tokenizers, in diffusers' layout. */
  readonly files: Source;
  /** The family, if the weights identify it; otherwise `model_index.json` does. */
  readonly family?: Family | undefined;
  /** The weights and config of a component. Throws a CheckpointError if it is missing. */
  component(name: string): ModelFolder | ModelParts;
  /** The values of a component's config, for weights from another file. */
  settings(component: string): Promise<Json>;
  /** The components that were exported to ONNX, with the source and folder of each. */
  readonly exported: ReadonlyMap<string, { readonly source: Source; readonly folder?: string }>;
  readonly warnings: readonly Warning[];
  /** The metadata of a model in one file. */
  readonly metadata?: Readonly<Record<string, string>>;
}

/** A folder in diffusers' layout. */
export function folderFiles(source: Source, variant: string | undefined): ModelFiles {
  return {
    files: source,
    component: (folder) => ({ source, folder, variant }),
    async settings(component) {
      const file = `${component}/config.json`;
      return (await hasFile(source, file)) ? Object.fromEntries((await readConfig(source, file)).entries()) : {};
    },
    exported: new Map(),
    warnings: [],
  };
}

/** The error for a component that a model in one file does not have. */
export function missingComponent(path: string, name: string): CheckpointError {
  return new CheckpointError(
    'missing-tensor',
    path,
    `has no ${name}. Give a folder that has one as the option config. components.${name} may have it too.`,
  );
}
