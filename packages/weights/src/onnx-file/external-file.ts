import { CheckpointError, type Source, SourceError, show, type WeightFile } from '@sd/core';
import { weightFile } from '../weight-file.js';

/** An external data file of a model. */
export interface ExternalFile {
  readonly file: WeightFile;
  readonly size: number;
}

/**
 * An external data file of a model, by its location relative to the model. Throws a CheckpointError if it is outside the
 * model's folder, by its name or by a symbolic link, and a SourceError if there is no such file.
 */
export async function externalFile(source: Source, model: string, location: string): Promise<ExternalFile> {
  const parts = location.split(/[/\\]/).filter((part) => part !== '.' && part !== '');
  const outside = (detail: string) =>
    new CheckpointError('bad-checkpoint', model, `keeps weights in ${show(location)}, which ${detail}.`);
  // ONNX Runtime takes a location that begins with `*/_ORT_` for an address in memory.
  if (parts.length === 0 || /[*\0]/.test(location) || parts.includes('..') || /^([/\\]|[A-Za-z]:)/.test(location)) {
    throw outside("is not in the model's folder");
  }
  const path = [...model.split('/').slice(0, -1), ...parts].join('/');
  const size = source.size === undefined ? (await source.read(path)).length : await source.size(path);
  if (size === undefined) {
    throw new SourceError('not-found', path, `${path} does not exist, but ${model} keeps its weights in it.`);
  }
  const file = await weightFile(source, path, size);
  const modelPath = await source.realPath?.(model);
  if (file.path !== undefined && modelPath !== undefined && !belongsTo(modelPath, file.path)) {
    throw outside(`is a link to ${file.path}, outside of the model's folder. Put the file itself there`);
  }
  return { file, size };
}

/** Whether a file is in the folder of a model, or both are in one repository of a hub's cache, where files are links to blobs. */
function belongsTo(model: string, file: string): boolean {
  const [folder] = /^.*[/\\]/.exec(model) ?? [''];
  const [, repository] = /^(.*[/\\]models--[^/\\]+[/\\])(?:blobs|snapshots)[/\\]/.exec(model) ?? [];
  const inCache =
    repository !== undefined &&
    file.startsWith(repository) &&
    /^(blobs|snapshots)[/\\]/.test(file.slice(repository.length));
  return file.startsWith(folder) || inCache;
}

/**
 * The files by locations relative to the deepest folder that has them all, which a backend then gives to the runtime as its
 * root. Files that are not on disk keep theirs.
 */
export function relativeFiles(files: readonly WeightFile[]): WeightFile[] {
  const paths = files.map(({ path }) => path?.split(/[/\\]/).slice(0, -1));
  if (paths.some((path) => path === undefined)) return [...files];
  const [first = [], ...others] = paths as string[][];
  const depth = first.findIndex((part, i) => others.some((other) => other[i] !== part));
  const folders = depth === -1 ? first.length : depth;
  return files.map((file) => ({ ...file, location: file.path!.split(/[/\\]/).slice(folders).join('/') }));
}
