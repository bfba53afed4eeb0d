import type { Source } from '@sd/core';
import type { WeightsFile } from '@sd/weights';
import { Checkpoint, Config, hasFile, type ModelFolder, type ModelParts, readConfig, splitByRange } from '@sd/weights';
import type { AdapterFile } from './adapter.js';

/** An adapter that is a model of its own: a folder in diffusers' layout, or a file, which `openFile` reads. */
export async function modelOf(
  { source, weights }: AdapterFile,
  openFile: (file: WeightsFile) => Promise<ModelParts>,
): Promise<ModelParts | ModelFolder> {
  return weights === undefined ? { source, folder: '' } : openFile(weights);
}

/**
 * A model in a single file: its tensors by diffusers' names, and the `config.json` in the same folder, or else what
 * `settings` gives.
 */
export async function singleFileParts(
  { source, path }: { readonly source: Source; readonly path: string },
  named: WeightsFile['tensors'],
  settings: () => Readonly<Record<string, unknown>>,
): Promise<ModelParts> {
  const configPath = path.replace(/[^/]*$/, 'config.json');
  const hasConfig = await hasFile(source, configPath);
  const config = hasConfig ? await readConfig(source, configPath) : new Config(path, settings());
  return { config, checkpoint: new Checkpoint(path, splitByRange(source, path, named)) };
}
