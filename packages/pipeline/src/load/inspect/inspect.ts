import { checkOptions, type OptionTable, text } from '@sd/core/options';
import { locate, type Place } from '../locate.js';
import { withDefaults } from './defaults.js';
import type { Inspection } from './inspection.js';
import { recognise } from './recognise.js';

export interface InspectOptions {
  /** The file to inspect in a Source; by default, the Source as a folder. */
  readonly path?: string;
}

export const inspectOptions: OptionTable<InspectOptions> = {
  path: { ...text, text: 'Which file of a Source it is; a folder, if left out.' },
};

/** See `inspect` in ../inspect.ts, which imports this on demand. */
export async function inspect(place: Place, options: InspectOptions = {}): Promise<Inspection> {
  checkOptions(options, inspectOptions, { of: 'inspect()' });
  return withDefaults(place, options.path, await recognise(await locate(place, options.path)));
}
