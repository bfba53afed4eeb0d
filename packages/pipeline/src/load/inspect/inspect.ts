import { linkSignals } from '@sd/core';
import { abortSignal, checkOptions, type OptionTable, text } from '@sd/core/options';
import { locate, type Place } from '../locate.js';
import { inspectedDefaults } from './defaults.js';
import type { Inspection } from './inspection.js';
import { recognise } from './recognise.js';

export interface InspectOptions {
  /** The file to inspect in a Source; by default, the Source as a folder. */
  readonly path?: string;
  readonly signal?: AbortSignal;
}

export const inspectOptions: OptionTable<InspectOptions> = {
  path: { ...text, text: 'Which file of a Source it is; a folder, if left out.' },
  signal: { ...abortSignal, text: 'Aborts inspecting.' },
};

/** See `inspect` in ../inspect.ts, which imports this on demand. */
export async function inspect(place: Place, options: InspectOptions = {}): Promise<Inspection> {
  checkOptions(options, inspectOptions, { of: 'inspect()' });
  const link = linkSignals(options.signal);
  try {
    const recognised = await recognise(await locate(place, options.path, link.signal));
    const { inspection } = recognised;
    return {
      ...inspection,
      details: { ...inspection.details, ...(await inspectedDefaults(place, options.path, recognised)) },
    };
  } finally {
    link.unlink();
  }
}
