import type { Backend, NoisePredictor, Source, TextEncoder, Vae, Warning } from '@sd/core';
import { hasFile, type ModelFolder, type ModelParts, readConfig } from '@sd/weights';

/** Makes stages of the parts that were exported to ONNX, by their folders. */
export interface ExportedStages {
  readonly text_encoder?: (backend: Backend) => Promise<TextEncoder>;
  readonly text_encoder_2?: (backend: Backend) => Promise<TextEncoder>;
  readonly unet?: (backend: Backend) => Promise<NoisePredictor>;
  readonly vae?: (backend: Backend) => Promise<Vae>;
}

/** A model's files, whatever its layout. */
export interface ModelSource {
  /** Has `model_index.json` and the folders of the scheduler and the tokenizers, as diffusers lays them out. */
  readonly files: Source;
  /** The weights and config of a part: `unet`, `vae`, `text_encoder`. Throws a CheckpointError for one that is not there. */
  part(name: string): ModelFolder | ModelParts;
  /** What the model says of a part beside its weights, for weights of another file: the values of its config. */
  settings(part: string): Promise<Readonly<Record<string, unknown>>>;
  /** What was exported: `parts` of it that the index may call anything, and the stages. */
  readonly exported?: { readonly parts: readonly string[]; readonly stages: ExportedStages };
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
