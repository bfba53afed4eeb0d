import type { Source, Warning } from '@sd/core';
import { hasFile, type ModelFolder, type ModelParts, readConfig } from '@sd/graph';

/** A model's files, whatever its layout. */
export interface ModelSource {
  /** Has `model_index.json` and the folders of the scheduler and the tokenizers, as diffusers lays them out. */
  readonly files: Source;
  /** The weights and config of a part: `unet`, `vae`, `text_encoder`. Throws a CheckpointError for one that is not there. */
  part(name: string): ModelFolder | ModelParts;
  /** What the model says of a part beside its weights, for weights of another file: the values of its config. */
  settings(part: string): Promise<Readonly<Record<string, unknown>>>;
  readonly warnings: readonly Warning[];
}

/** A folder in diffusers' layout. */
export function folderModel(source: Source, variant: string | undefined): ModelSource {
  return {
    files: source,
    part: (folder) => ({ source, folder, variant }),
    async settings(part) {
      const file = `${part}/config.json`;
      return (await hasFile(source, file)) ? Object.fromEntries((await readConfig(source, file)).entries()) : {};
    },
    warnings: [],
  };
}
