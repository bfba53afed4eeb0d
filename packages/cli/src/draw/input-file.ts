import { readFile } from 'node:fs/promises';
import { InvalidOptionError } from '@sd/core';

/** The bytes of a file that an option names. Throws an InvalidOptionError that names the option if it cannot be read. */
export async function readInput(option: string, file: string): Promise<Uint8Array> {
  try {
    return await readFile(file);
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException;
    const problem = code === 'ENOENT' ? `there is no file ${file}` : `${file} cannot be read (${message})`;
    throw new InvalidOptionError(option, `${problem}. Check the path.`);
  }
}
