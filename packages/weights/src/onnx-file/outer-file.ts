import { CheckpointError, type Source, SourceError, type WeightFile } from '@sd/core';
import { weightFile } from '../weight-file.js';

/**
 * A file beside a model that some of its weights lie in, by what the model calls it. Throws a CheckpointError for a place
 * outside the model's folder, and a SourceError where there is no such file.
 */
export async function outerFile(source: Source, model: string, location: string): Promise<WeightFile> {
  const parts = location.split(/[/\\]/).filter((part) => part !== '.' && part !== '');
  if (parts.length === 0 || parts.includes('..') || /^([/\\]|[A-Za-z]:)/.test(location)) {
    throw new CheckpointError(
      'bad-checkpoint',
      model,
      `keeps weights in ${JSON.stringify(location)}, which is not in the model's folder.`,
    );
  }
  const path = [...model.split('/').slice(0, -1), ...parts].join('/');
  const size = source.size === undefined ? (await source.read(path)).length : await source.size(path);
  if (size === undefined) {
    throw new SourceError('not-found', path, `${path} is not there, and ${model} keeps its weights in it.`);
  }
  return weightFile(source, path, size);
}
