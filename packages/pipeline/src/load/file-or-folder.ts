import { SdError, type Source } from '@sd/core';
import { hasFile, hasWeightsFormat } from '@sd/weights';

/** Files by which a folder on a server is known: most servers do not respond to a folder's own address. */
const folderFiles = ['model_index.json', 'config.json'];

/**
 * Whether a path or URL without the ending of a weights file is a folder, or a file in its parent folder. The disk decides
 * for a path. On a server, an address is a file if it has no files of a folder and begins as weights do.
 */
export async function fileOrFolder<Place extends { readonly source: Source }>(
  name: string,
  asFolder: () => Promise<Place>,
  inParent: () => Promise<Place>,
): Promise<Place> {
  let folder: Place;
  try {
    folder = await asFolder();
  } catch (error) {
    // A folder's source rejects for a file on a disk.
    const file = isName(name) ? await attempt(inParent) : undefined;
    if (file !== undefined && (await hasFile(file.source, name))) return file;
    throw error;
  }
  const { source } = folder;
  if (source.realPath !== undefined || !isName(name)) return folder;
  for (const path of folderFiles) if ((await attempt(() => hasFile(source, path))) === true) return folder;
  const isFile = await attempt(async () => {
    const file = await inParent();
    return (await hasFile(file.source, name)) && (await hasWeightsFormat(file.source, name)) ? file : undefined;
  });
  return isFile ?? folder;
}

const isName = (name: string) => name !== '' && name !== '.' && name !== '..';

/** Undefined if a server refuses, as many do for the address of a folder. */
async function attempt<T>(action: () => Promise<T>): Promise<T | undefined> {
  try {
    return await action();
  } catch (error) {
    if (SdError.isInstance(error)) return undefined;
    throw error;
  }
}
