import { existsSync } from 'node:fs';
import { readdir, stat } from 'node:fs/promises';
import path from 'node:path';
import type { LoadPipelineOptions } from '@sd/pipeline';

/** A model that can be loaded. */
export interface ListedModel {
  readonly name: string;
  /** What `loadPipeline` takes; undefined is the embedded model. */
  readonly place: string | undefined;
  readonly options?: LoadPipelineOptions | undefined;
}

/**
 * The models of a server: the embedded one if there are none.
 * - A folder whose entries are models: `models/`.
 * - Models one by one: the path of a file or folder, or whatever else `loadPipeline` takes as a string. A path's name is that
 *   of its file without the extension; any other string is its own name. `{ name, place, options }` chooses.
 */
export type ModelsOption = string | readonly (string | ListedModel)[];

const embedded: ListedModel = { name: 'tiny', place: undefined };

/** Reads the list anew, since the files of a folder may change. */
export async function listModels(models: ModelsOption | undefined): Promise<readonly ListedModel[]> {
  if (models === undefined) return [embedded];
  if (typeof models !== 'string') {
    return models.map((model) => (typeof model === 'string' ? { name: nameOf(model), place: model } : model));
  }
  const places = await modelsIn(models);
  return places.map((place) => ({ name: stem(place), place }));
}

const modelFile = /\.(safetensors|sft|ckpt|gguf)$/i;

async function modelsIn(folder: string): Promise<string[]> {
  const entries = await readdir(folder, { withFileTypes: true });
  const places = entries
    .filter(({ name }) => !name.startsWith('.'))
    .flatMap((entry) => {
      const place = path.join(folder, entry.name);
      const isModel = modelFile.test(entry.name) || existsSync(path.join(place, 'model_index.json'));
      return isModel ? [place] : [];
    });
  return places.sort();
}

function nameOf(place: string): string {
  return existsSync(place) ? stem(path.resolve(place)) : place;
}

function stem(place: string): string {
  return path.basename(place).replace(modelFile, '');
}

/** Seconds since 1970 of the last change; 0 if there is no such path. */
export async function changedAt(place: string | undefined): Promise<number> {
  if (place === undefined) return 0;
  const found = await stat(place).catch(() => undefined);
  return found === undefined ? 0 : Math.floor(found.mtimeMs / 1000);
}
