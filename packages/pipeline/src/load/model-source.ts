import type { Source } from '@sd/core';
import type { ModelFolder, ModelParts } from '@sd/graph';
import type { Warning } from '../events.js';

/** A model's files, whatever its layout. */
export interface ModelSource {
  /** Has `model_index.json` and the folders of the scheduler and the tokenizers, as diffusers lays them out. */
  readonly files: Source;
  /** The weights and config of a part: `unet`, `vae`, `text_encoder`. Throws a CheckpointError for one that is not there. */
  part(name: string): ModelFolder | ModelParts;
  readonly warnings: readonly Warning[];
}

/** A folder in diffusers' layout. */
export function folderModel(source: Source, variant: string | undefined): ModelSource {
  return { files: source, part: (folder) => ({ source, folder, variant }), warnings: [] };
}
