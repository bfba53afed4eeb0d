import type { Source } from '@sd/core';
import { type Checkpoint, inFolder, type NameTable, openCheckpoint } from './checkpoint.js';
import { type Config, readConfig } from './config.js';

/** A model as a folder of a source: a `config.json`, and weights beside it. */
export interface ModelFolder {
  readonly source: Source;
  /** The model's folder in the source; empty where the source is that folder. */
  readonly folder?: string;
  /** The variant of the weights to prefer: `fp16`. */
  readonly variant?: string;
}

/** A model as weights by diffusers' names and the config that they are of, wherever they came from. */
export interface ModelParts {
  readonly checkpoint: Checkpoint;
  readonly config: Config;
}

/** Opens a model's folder; parts are given back as they are. Throws SourceError, CheckpointError. */
export async function openModel(
  from: ModelFolder | ModelParts,
  { folder, stems, names }: { readonly folder: string; readonly stems: readonly string[]; readonly names?: NameTable },
): Promise<ModelParts> {
  if ('checkpoint' in from) return from;
  const { source, folder: at = folder, variant } = from;
  const config = await readConfig(source, inFolder(at, 'config.json'));
  return { config, checkpoint: await openCheckpoint(source, at, { stems, variant, names }) };
}
