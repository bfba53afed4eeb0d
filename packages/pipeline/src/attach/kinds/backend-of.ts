import { type Backend, InvalidOptionError } from '@sd/core';
import type { AdapterContext } from '../open.js';

/** Where an adapter's own model runs. Throws an InvalidOptionError for a pipeline that was made without a backend. */
export function backendOf({ backend }: AdapterContext, what: string): Backend {
  if (backend !== undefined) return backend;
  throw new InvalidOptionError('backend', `is needed by createPipeline, for ${what} to run on.`);
}
