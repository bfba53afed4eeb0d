import { CheckpointError, type Source, SourceError, show, type WeightFile } from '@sd/core';
import { weightFile } from '../weight-file.js';

/**
 * An external data file of a model, by its location relative to the model. Throws a CheckpointError if it is outside the
 * model's folder, and a SourceError if there is no such file.
 */
export async function externalFile(source: Source, model: string, location: string): Promise<WeightFile> {
  const parts = location.split(/[/\\]/).filter((part) => part !== '.' && part !== '');
  if (parts.length === 0 || parts.includes('..') || /^([/\\]|[A-Za-z]:)/.test(location)) {
    throw new CheckpointError(
      'bad-checkpoint',
      model,
      `keeps weights in ${show(location)}, which is not in the model's folder.`,
    );
  }
  const path = [...model.split('/').slice(0, -1), ...parts].join('/');
  const size = source.size === undefined ? (await source.read(path)).length : await source.size(path);
  if (size === undefined) {
    throw new SourceError('not-found', path, `${path} does not exist, but ${model} keeps its weights in it.`);
  }
  return weightFile(source, path, size);
}
