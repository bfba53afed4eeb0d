import { barrier, InvalidOptionError, lazyImport, messageOf, SdError } from '@sd/core';
import { kindOfFile } from './file-kind.js';
import { formatOfKind } from './formats/index.js';
import { parseParameters, type ReadParameters } from './parameters.js';

/**
 * Reads the settings that an image was made with from its file, PNG, JPEG, WebP or AVIF; undefined if there are none. They
 * are this library's, A1111's, or those of another program that writes A1111's format; or ComfyUI's, from the graph that made
 * the image: its prompts, seed, steps, guidance, sampler, scheduler, size and model, by A1111's names.
 *
 * Throws an InvalidOptionError (`file`) for another kind of file and for a broken one.
 */
export function readParameters(file: Uint8Array): Promise<ReadParameters | undefined> {
  return barrier('readParameters()', () => read(file));
}

async function read(file: Uint8Array): Promise<ReadParameters | undefined> {
  const kind = file instanceof Uint8Array ? kindOfFile(file) : 'no bytes of a file';
  const format = await formatOfKind(kind)?.load();
  if (format === undefined) {
    throw new InvalidOptionError('file', `must be a PNG, JPEG, WebP or AVIF file, but is ${kind}.`);
  }
  const texts = await format.findSettings(file).catch((error: unknown) => {
    if (SdError.isInstance(error)) throw error;
    throw new InvalidOptionError('file', `is ${kind}, but broken: ${messageOf(error).replace(/[.:]?$/, '.')}`);
  });
  if (texts.parameters !== undefined) return parseParameters(texts.parameters);
  if (texts.prompt === undefined && texts.workflow === undefined) return undefined;
  const { readComfyGraph } = await lazyImport(() => import('./comfy/read-graph.js'));
  return readComfyGraph(texts);
}
