import type { Source } from '@sd/core';
import { type Checkpoint, inFolder, type NameTable, openCheckpoint } from './checkpoint.js';
import { type Config, readConfig } from './config.js';

/** A model as a folder in a source: a `config.json` and weights. */
export interface ModelFolder {
  readonly source: Source;
  /** The model's folder in the source; empty if the source is that folder. */
  readonly folder?: string;
  /** The variant of the weights to prefer, such as `fp16`. */
  readonly variant?: string;
}

/** A model as weights under diffusers' names and their config, wherever they came from. */
export interface ModelParts {
  readonly checkpoint: Checkpoint;
  readonly config: Config;
}

/** Opens a model's folder; returns ModelParts unchanged. Throws SourceError, CheckpointError. */
export async function openModel(
  from: ModelFolder | ModelParts,
  { folder, stems, names }: { readonly folder: string; readonly stems: readonly string[]; readonly names?: NameTable },
): Promise<ModelParts> {
  if ('checkpoint' in from) return from;
  const { source, folder: path = folder, variant } = from;
  const config = await readConfig(source, inFolder(path, 'config.json'));
  return { config, checkpoint: await openCheckpoint(source, path, { stems, variant, names }) };
}
