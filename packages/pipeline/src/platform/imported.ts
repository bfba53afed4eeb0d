import { MissingPackageError } from '@sd/core';

/** Node's word for a package that is not installed; those of browsers; and that of Vite, which leaves it out. */
const missing = /ERR_MODULE_NOT_FOUND|Failed to resolve module specifier|bare specifier|Could not resolve "/;

/** A package that an app installs only if it needs it. */
export async function imported<T>(name: string, purpose: string, load: () => Promise<T>): Promise<T> {
  try {
    return await load();
  } catch (error) {
    const { code, message } = error as { code?: string; message?: string };
    if (!missing.test(`${code} ${message}`)) throw error;
    throw new MissingPackageError(name, purpose, { cause: error });
  }
}
