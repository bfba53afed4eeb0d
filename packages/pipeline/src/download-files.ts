import { type Backend, InvalidOptionError, linkSignals, show, UnsupportedError } from '@sd/core';
import { abortSignal, checkOptions, type OptionTable } from '@sd/core/options';
import { parseHubName } from '@sd/source';
import { type HubPlaceOptions, hubTable } from './load/hub-options.js';
import { inspect } from './load/inspect/inspect.js';
import { loadTable } from './load/load-options.js';
import { locate } from './load/locate.js';
import { loadPipeline } from './load-pipeline.js';

export interface DownloadOptions extends HubPlaceOptions {
  /** The variant of the weights to prefer, as in `model.fp16.safetensors`: `fp16`. */
  readonly variant?: string | undefined;
  readonly signal?: AbortSignal | undefined;
}

const downloadTable: OptionTable<DownloadOptions> = {
  ...hubTable,
  variant: loadTable.variant,
  signal: { ...abortSignal, text: 'Aborts downloading; what has arrived is kept.' },
};

/** Stages are opened, which reads the files, but never loaded. */
const noBackend: Backend = {
  provider: 'cpu',
  load: () => Promise.reject(new UnsupportedError('This backend only opens files.')),
  dispose: async () => {},
};

/** See `download` in download.ts, which imports this on demand. */
export async function download(name: string, options: DownloadOptions = {}): Promise<void> {
  checkOptions(options, downloadTable, { of: 'download()' });
  const place = onHub(name);
  const link = linkSignals(options.signal);
  const settings = { ...options, signal: link.signal };
  try {
    const { source, path } = await locate(place, undefined, settings);
    if (path !== '') await source.realPath?.(path);
    else if ((await source.size?.('model_index.json')) === undefined) await inspect(place, hubOnly(settings));
    else await (await loadPipeline(place, { ...settings, backend: noBackend, releaseStages: true })).dispose();
  } finally {
    link.unlink();
  }
}

/** The name as one on the hub, even if there is such a path. Throws an InvalidOptionError for any other text. */
function onHub(name: string): string {
  if (typeof name === 'string' && /^(hf|https?):/.test(name)) return name;
  if (typeof name === 'string' && parseHubName(name) !== undefined) return `hf://${name}`;
  throw new InvalidOptionError(
    'name',
    `must be owner/name on the hub, or hf://owner/name@revision, not ${show(name)}.`,
  );
}

function hubOnly({ revision, token, onProgress, signal }: DownloadOptions) {
  return { revision, token, onProgress, ...(signal && { signal }) };
}
