import { barrier, lazyImport } from '@sd/core';
import type { InspectOptions } from './inspect/inspect.js';
import type { Inspection } from './inspect/inspection.js';
import type { Place } from './locate.js';

export type { InspectOptions };

/**
 * Reports what a file or folder is (a model or a component of one, a LoRA, a ControlNet and so on), for which family, with
 * which data types, and what can be done with it. Looks only at names, shapes and configs; no weights are read.
 *
 * @param place A path, URL, file that a user picked, or Source.
 * Rejects with a SourceError for a missing file, a CheckpointError for a broken one or a pickle that calls unsafe globals,
 * an InvalidOptionError for unknown or impossible options, and an AbortError.
 */
export function inspect(place: Place, options: InspectOptions = {}): Promise<Inspection> {
  return barrier('inspect()', async () =>
    (await lazyImport(() => import('./inspect/inspect.js'))).inspect(place, options),
  );
}
