import { InvalidOptionError, lazyImport } from '@sd/core';
import { encodeImage } from '@sd/image';
import type { DownloadProgress } from '@sd/source';
import type { GenerateOptions } from '../generate/options/index.js';
import { previewOf } from '../generate/preview.js';
import { type Loaded, type Loading, loadModel } from './load.js';
import { type PackedImage, type Parcel, pack } from './packing.js';
import type { CallName, Calls } from './protocol.js';
import { createRuns, type Runs } from './runs.js';

/** The worker's function for each call of the page. */
export type Handlers = {
  readonly [Name in CallName]: (request: Calls[Name]['request'], signal: AbortSignal) => Promise<Parcel>;
};

export interface HandlerOptions extends Loading {
  /** Changes a request's options before they are used, for instance to add guidance, schedulers or strengths that are functions. */
  prepare?(options: GenerateOptions): GenerateOptions;
}

/** Creates the handlers of a worker, which share its one pipeline. */
export function createHandlers(options: HandlerOptions, onProgress: (progress: DownloadProgress) => void): Handlers {
  let served: (Loaded & { readonly runs: Runs }) | undefined;
  const current = () => {
    if (served === undefined)
      throw new InvalidOptionError('load', 'must be called first: nothing is loaded in this worker.');
    return served;
  };

  return {
    ...runHandlers(current, options),
    ...attachHandlers(current),
    async load({ location, options: loadOptions }, signal) {
      if (served !== undefined)
        throw new InvalidOptionError('load', 'was called before: a worker loads only one model.');
      const loaded = await loadModel(location, loadOptions, options, { signal, onProgress });
      served = { ...loaded, runs: createRuns(loaded.pipeline) };
      return plain(loaded.facts);
    },
    async dispose() {
      await served?.dispose();
      return plain(undefined);
    },
  };
}

type Current = () => Loaded & { readonly runs: Runs };

function runHandlers(current: Current, { prepare }: HandlerOptions) {
  return {
    async next({ run, options }, signal) {
      return pack(await current().runs.next(run, options && (prepare?.(options) ?? options), signal));
    },
    async end({ run }) {
      await current().runs.end(run);
      return plain(undefined);
    },
    preview: async ({ latents }, signal) => pack(await previewOf(current().pipeline.stages, latents, signal)),
    async encode({ image: packed, options }) {
      const image = packed as PackedImage;
      return pack(await encodeImage(image, { ...options, parameters: image.parameters }));
    },
  } satisfies Partial<Handlers>;
}

function attachHandlers(current: Current) {
  return {
    async attach({ location, options }, signal) {
      const { pipeline } = current();
      if (location === undefined) throw new InvalidOptionError('file', 'must be a path, a URL or files.');
      const file =
        typeof location === 'string' ? location : (await lazyImport(() => import('@sd/source'))).openFiles(location);
      const attachment = await pipeline.attach(file, { ...options, signal });
      return plain({ attachment, attached: pipeline.attached });
    },
    async detach({ name }) {
      const { pipeline } = current();
      await pipeline.detach(name);
      return plain(pipeline.attached);
    },
  } satisfies Partial<Handlers>;
}

/** A reply whose value is copied. */
const plain = (value: unknown): Parcel => ({ value, transfer: [] });
