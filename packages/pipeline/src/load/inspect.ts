import type { InspectOptions } from './inspect/inspect.js';
import type { Inspection } from './inspect/inspection.js';
import type { Place } from './locate.js';

export type { InspectOptions };

/**
 * Says what a file or folder is, and what can be done with it: a model or a part of one, a LoRA, a ControlNet and so on,
 * for which family, of which types of values. Goes by names, shapes and configs; no weights are read.
 *
 * @param place A path, URL, file that a person picked, or Source.
 * Rejects with a SourceError for what is not there, a CheckpointError for a file that is broken, or a pickle that calls
 * out, and an InvalidOptionError for options that are unknown or cannot be.
 */
export async function inspect(place: Place, options: InspectOptions = {}): Promise<Inspection> {
  return (await import('./inspect/inspect.js')).inspect(place, options);
}
