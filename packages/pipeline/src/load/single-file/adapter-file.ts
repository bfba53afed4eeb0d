import { Checkpoint, Config, hasFile, type ModelParts, readConfig, splitByRange } from '@sd/weights';
import type { Located } from '../locate.js';
import type { Json } from './families.js';
import type { Tensors } from './parts.js';

/** Where an adapter's single file is. */
export type FilePlace = Pick<Located, 'source' | 'path'>;

/** An adapter of one file as parts: its tensors by diffusers' names, and the `config.json` beside it, or else `settings`. */
export async function adapterParts(
  { source, path }: FilePlace,
  named: Tensors,
  settings: () => Json,
): Promise<ModelParts> {
  const beside = path.replace(/[^/]*$/, 'config.json');
  const config = (await hasFile(source, beside)) ? await readConfig(source, beside) : new Config(path, settings());
  return { config, checkpoint: new Checkpoint(path, splitByRange(source, path, named)) };
}
