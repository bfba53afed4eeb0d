import { checkOptions, type OptionTable, text } from '@sd/core/options';
import { locate, type Place } from '../locate.js';
import type { Inspection } from './inspection.js';
import { recognise } from './recognise.js';

export interface InspectOptions {
  /** Which file of a Source it is; a folder, if left out. */
  readonly path?: string;
}

export const inspectOptions: OptionTable<InspectOptions> = {
  path: { ...text, text: 'Which file of a Source it is; a folder, if left out.' },
};

/** See `inspect` in ../inspect.ts, which loads this when it is needed. */
export async function inspect(place: Place, options: InspectOptions = {}): Promise<Inspection> {
  checkOptions(options, inspectOptions, { of: 'inspect()' });
  return (await recognise(await locate(place, options.path))).inspection;
}
