import { MissingPackageError } from '@sd/core';

/** Node's and webpack's word for a package that is not installed; those of browsers; and that of Vite, which leaves it out. */
const missing = /MODULE_NOT_FOUND|Failed to resolve module specifier|bare specifier|Could not resolve "/;

/**
 * What the import of a package that an app installs only if it needs it was rejected with: a MissingPackageError where
 * it is not installed, else the error itself.
 *
 * The import is written within a `try`, where webpack and esbuild take it for one that may fail; anywhere else they do
 * not build an app that lacks the package.
 */
export function importError(error: unknown, name: string, purpose: string): unknown {
  const { code, message } = error as { code?: string; message?: string };
  return missing.test(`${code} ${message}`) ? new MissingPackageError(name, purpose, { cause: error }) : error;
}
