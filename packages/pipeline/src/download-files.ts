import { type Backend, linkSignals, UnsupportedError } from '@sd/core';
import { abortSignal, checkOptions, type OptionTable } from '@sd/core/options';
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
  const link = linkSignals(options.signal);
  const settings = { ...options, signal: link.signal };
  try {
    const { source, path } = await locate(name, undefined, settings);
    if (path !== '') await source.realPath?.(path);
    else if ((await source.size?.('model_index.json')) === undefined) await inspect(name, hubOnly(settings));
    else await (await loadPipeline(name, { ...settings, backend: noBackend, releaseStages: true })).dispose();
  } finally {
    link.unlink();
  }
}

function hubOnly({ revision, token, onProgress, signal }: DownloadOptions) {
  return { revision, token, onProgress, ...(signal && { signal }) };
}
