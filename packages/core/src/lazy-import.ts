import { SourceError } from './errors.js';

/** More files than one import opens at once. */
const filesAtOnce = 32;

/** The part of Node's `fs` that this uses; browsers have none. */
interface FileSystem {
  openSync(path: string, flags: string): number;
  closeSync(descriptor: number): void;
}

interface NodeProcess {
  readonly execPath: string;
  getBuiltinModule?(name: 'fs'): FileSystem;
}

/**
 * Imports a module when it is first needed: `lazyImport(() => import('./attach.js'))`. Rejects with a SourceError where too
 * many files are open in Node; a later call then succeeds.
 */
export async function lazyImport<Module>(load: () => Promise<Module>): Promise<Module> {
  expectFilesOpen();
  return load();
}

/**
 * Throws a SourceError if Node cannot open files, because too many are open. Called before an import, since Node keeps the
 * failure of an import, of the module or of anything that it imports, for as long as the process lives. For the imports of
 * optional packages, which bundlers recognise by the `try` that they stand in; all others use `lazyImport`.
 */
export function expectFilesOpen(): void {
  const node = (globalThis as { readonly process?: NodeProcess }).process;
  const files = node?.getBuiltinModule?.('fs');
  if (node === undefined || files === undefined) return;
  const opened: number[] = [];
  try {
    while (opened.length < filesAtOnce) opened.push(files.openSync(node.execPath, 'r'));
  } catch (error) {
    const { code } = error as { readonly code?: string };
    if (code !== 'EMFILE' && code !== 'ENFILE') return;
    throw new SourceError(
      'read-failed',
      node.execPath,
      `Too many files are open (${code}), and code cannot be loaded. Close some or raise the limit (ulimit -n), then try again.`,
      { cause: error },
    );
  } finally {
    for (const descriptor of opened) files.closeSync(descriptor);
  }
}
