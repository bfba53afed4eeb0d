import { CheckpointError, lazyImport, type Source } from '@sd/core';
import { hasFile } from './has-file.js';

/** A format of files that can be opened. */
export type FileFormat = 'safetensors' | 'torch' | 'onnx' | 'gguf';

/** Bytes that identify every format. */
const magicLength = 16;
/** Bytes that identify other files: enough for a tar archive, and to quote a server's message in place of a file. */
const startLength = 512;

/**
 * The format of a file by its first bytes; its name does not matter. Only an ONNX model without any signature is known by
 * its ending. All other bytes are taken for safetensors, whose reader says what is wrong with them.
 *
 * Throws a SourceError if there is no such file, and a CheckpointError that says what the file is if it has no weights: a
 * Git LFS pointer, a web page, an archive, an image, an unfinished download.
 */
export async function fileFormat(source: Source, path: string): Promise<FileFormat> {
  const beingLoaded = source.realPath !== undefined && (await hasFile(source, `${path}.aria2`));
  const format = beingLoaded ? undefined : formatOf(await readStart(source, path, magicLength));
  if (format !== undefined) return format;
  const { describeForeign, unfinished } = await lazyImport(() => import('./foreign-file.js'));
  const problem = beingLoaded ? unfinished : describeForeign(path, await readStart(source, path, startLength));
  if (problem !== undefined) throw new CheckpointError('bad-checkpoint', path, problem);
  return /\.onnx$/i.test(path) ? 'onnx' : 'safetensors';
}

/** Whether a file begins as one of these formats does. Throws a SourceError if there is no such file. */
export async function hasWeightsFormat(source: Source, path: string): Promise<boolean> {
  return formatOf(await readStart(source, path, magicLength)) !== undefined;
}

async function readStart(source: Source, path: string, length: number): Promise<Uint8Array> {
  const size = await source.size?.(path);
  const bytes = await source.read(path, size === undefined ? undefined : { start: 0, end: Math.min(length, size) });
  return bytes.subarray(0, length);
}

/** The format by a file's first bytes. */
function formatOf(start: Uint8Array): FileFormat | undefined {
  const [first, second, third, fourth] = start;
  // A header of less than 4 GiB, and its brace: its length may have the bytes of any other signature.
  if (start[8] === code('{') && start.subarray(4, 8).every((byte) => byte === 0)) return 'safetensors';
  const magic = String.fromCharCode(first, second, third, fourth);
  if (magic === 'PK\x03\x04') return 'torch';
  // A pickle of protocol 0 to 5 that states it.
  if (first === 0x80 && second <= 5) return 'torch';
  if (magic === 'GGUF') return 'gguf';
  return isOnnx(start) ? 'onnx' : undefined;
}

/**
 * Whether bytes begin as a ModelProto does: its first field is the version of its format, a small number, and the next one
 * any other of its fields, whose tags are their numbers times 8, and 2 for all but the version of the model.
 */
function isOnnx([tag, version, next]: Uint8Array): boolean {
  const field = next >> 3;
  const wireType = next & 7;
  return tag === 0x08 && version > 0 && version < 32 && field > 1 && field <= 26 && wireType === (field === 5 ? 0 : 2);
}

const code = (character: string) => character.charCodeAt(0);
