import { CheckpointError, messageOf, readText, SdError, type Source } from '@sd/core';

/** The bytes of a file; undefined if it is missing. */
export async function readBytes(source: Source, path: string): Promise<Uint8Array | undefined> {
  try {
    return await readText(source, path);
  } catch (error) {
    if (SdError.isInstance(error) && error.code === 'not-found') return undefined;
    throw error;
  }
}

/** A file as text; undefined if it is missing. Throws a CheckpointError if it is not UTF-8. */
export async function readUtf8(source: Source, path: string): Promise<string | undefined> {
  const bytes = await readBytes(source, path);
  if (bytes === undefined) return undefined;
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(bytes);
  } catch (cause) {
    throw new CheckpointError('bad-config', path, 'is not UTF-8 text.', { cause });
  }
}

/** A parsed JSON file; undefined if it is missing. Throws a CheckpointError if it is not JSON. */
export async function readJson(source: Source, path: string): Promise<unknown> {
  const text = await readUtf8(source, path);
  if (text === undefined) return undefined;
  try {
    return JSON.parse(text);
  } catch (cause) {
    const reason = messageOf(cause);
    throw new CheckpointError('bad-config', path, `is not JSON: ${reason}`, { cause });
  }
}

/** A folder's path as the prefix of its files' paths. */
export function prefixOf(folder: string): string {
  return folder === '' ? '' : `${folder.replace(/\/+$/, '')}/`;
}
