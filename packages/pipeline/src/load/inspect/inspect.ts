import { linkSignals } from '@sd/core';
import { abortSignal, checkOptions, type OptionTable, text } from '@sd/core/options';
import { type HubPlaceOptions, hubTable } from '../hub-options.js';
import { locate, type Place } from '../locate.js';
import { withDefaults } from './defaults.js';
import type { Inspection } from './inspection.js';
import { recognise } from './recognise.js';

export interface InspectOptions extends HubPlaceOptions {
  /** The file to inspect in a Source; by default, the Source as a folder. */
  readonly path?: string;
  readonly signal?: AbortSignal;
}

export const inspectOptions: OptionTable<InspectOptions> = {
  path: { ...text, text: 'Which file of a Source it is; a folder, if left out.' },
  ...hubTable,
  signal: { ...abortSignal, text: 'Aborts inspecting.' },
};

/** See `inspect` in ../inspect.ts, which imports this on demand. */
export async function inspect(place: Place, options: InspectOptions = {}): Promise<Inspection> {
  checkOptions(options, inspectOptions, { of: 'inspect()' });
  const link = linkSignals(options.signal);
  try {
    return await withDefaults(
      place,
      options.path,
      await recognise(await locate(place, options.path, { ...options, signal: link.signal })),
    );
  } finally {
    link.unlink();
  }
}
