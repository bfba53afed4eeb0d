import { BackendError, lazyImport, MissingPackageError, messageOf, SdError } from '@sd/core';

interface CodecOptions {
  readonly noInitialRun: boolean;
  readonly print: (line: string) => void;
  readonly printErr: (line: string) => void;
  readonly wasmBinary?: Uint8Array;
}

/**
 * A new instance of a codec of `@jsquash`, with the lines that it prints. A failure leaves an instance in an unknown state,
 * and it never releases memory, so that each file gets its own. Rejects with a BackendError if it cannot be loaded.
 */
export async function loadCodec<Codec>(
  wasm: `@jsquash/${string}`,
  load: () => Promise<{ readonly default: (options: CodecOptions) => Promise<unknown> }>,
): Promise<{ codec: Codec; lines: string[] }> {
  const lines: string[] = [];
  const print = (line: string) => lines.push(line);
  try {
    const { default: create } = await lazyImport(load);
    const { codecWasm } = await lazyImport(() => import('#codec-wasm'));
    const options = { noInitialRun: true, print, printErr: print, ...(await codecWasm(wasm)) };
    return { codec: (await create(options)) as Codec, lines };
  } catch (error) {
    if (SdError.isInstance(error)) throw error;
    throw new BackendError(`The codec ${wasm} could not be loaded: ${messageOf(error)}`, { cause: error });
  }
}

/** What the import of an optional codec was rejected with: a MissingPackageError if it is not installed. */
export function importError(error: unknown, name: string, purpose: string): unknown {
  const isMissing = /MODULE_NOT_FOUND|Failed to resolve module specifier|bare specifier|Could not resolve "/;
  const { code, message } = error as { code?: string; message?: string };
  return isMissing.test(`${code} ${message}`) ? new MissingPackageError(name, purpose, { cause: error }) : error;
}
