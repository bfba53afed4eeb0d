import { InvalidOptionError } from '@sd/core';
import { filesByPath, parseHubName } from '@sd/source';
import type { WorkerSource } from './options.js';
import type { SendableLocation } from './protocol.js';

/**
 * Where a model is, in a form that can be sent: addresses are resolved, since a worker's base URL is another; files are
 * listed by path.
 */
export function sendableLocation(option: string, source: WorkerSource | undefined): SendableLocation {
  if (source === undefined) return undefined;
  if (source instanceof URL) return source.href;
  if (typeof source === 'string') {
    const base = globalThis.document?.baseURI;
    // A name on the hub is the same everywhere.
    return base === undefined || parseHubName(source) !== undefined ? source : new URL(source, base).href;
  }
  if ('getFileHandle' in source || source instanceof Map) return source;
  if (Symbol.iterator in source) return filesByPath(source as Iterable<File>);
  throw new InvalidOptionError(
    option,
    'must be an address or files. An object with functions cannot be sent to a worker: open it in the worker’s script, with servePipeline({ load }).',
  );
}
