import { DisposedError, settleAll, throwIfAborted, untilAborted } from '@sd/core';
import { type LoadPipelineOptions, loadPipeline, type Pipeline } from '@sd/pipeline';
import type { ListedModel } from './model-list.js';
import { weightBytes } from './model-size.js';

export interface PoolOptions {
  /** Bytes that the weights of all loaded models may take together. One model alone may take more. */
  readonly memoryBudget: number;
  /** Options of `loadPipeline` for every model. */
  readonly load?: LoadPipelineOptions | undefined;
  /** Called after each attempt to load a model. */
  onLoad?(event: LoadEvent): void;
}

export interface LoadEvent {
  readonly model: string;
  readonly milliseconds: number;
  readonly error?: unknown;
}

interface Loaded {
  readonly name: string;
  readonly pipeline: Pipeline;
  readonly bytes: number;
  users: number;
}

/** A pipeline in use; it is not freed before `release()`. */
export interface Lease {
  readonly pipeline: Pipeline;
  release(): void;
  /** Frees the pipeline, which cannot be used again: the next use loads the model anew. */
  discard(): Promise<void>;
}

/**
 * The pipelines in memory. A model is loaded when it is first used, one at a time; to make room, those used longest ago are
 * freed. A model that fails to load leaves the others, and is tried again with the next use.
 */
export function createModelPool({ memoryBudget, load, onLoad }: PoolOptions) {
  /** The one used longest ago first. */
  const loaded = new Map<string, Loaded>();
  /** Bytes of models whose size shows only when they are loaded. */
  const measured = new Map<string, number>();
  const closing = new AbortController();
  let lastLoad: Promise<unknown> = Promise.resolve();
  let released = Promise.resolve();
  let onReleased = () => {};

  function lease(entry: Loaded): Lease {
    loaded.delete(entry.name);
    loaded.set(entry.name, entry);
    entry.users++;
    let isHeld = true;
    return {
      pipeline: entry.pipeline,
      release() {
        if (!isHeld) return;
        isHeld = false;
        entry.users--;
        onReleased();
      },
      async discard() {
        if (loaded.get(entry.name) === entry) loaded.delete(entry.name);
        await entry.pipeline.dispose();
      },
    };
  }

  async function makeRoom(bytes: number): Promise<void> {
    for (;;) {
      const held = [...loaded.values()].reduce((sum, entry) => sum + entry.bytes, 0);
      if (held + bytes <= memoryBudget || loaded.size === 0) return;
      const idle = [...loaded.values()].find(({ users }) => users === 0);
      if (idle !== undefined) {
        loaded.delete(idle.name);
        await idle.pipeline.dispose();
        continue;
      }
      released = new Promise((resolve) => {
        onReleased = resolve;
      });
      await untilAborted(released, closing.signal);
    }
  }

  async function loadNow({ name, place, options }: ListedModel): Promise<Loaded> {
    const known = loaded.get(name);
    if (known !== undefined) return known;
    const all: LoadPipelineOptions = { ...load, ...options, signal: closing.signal };
    const onDisk = place === undefined ? undefined : await weightBytes(place, all.variant);
    await makeRoom(onDisk ?? measured.get(name) ?? 0);
    const before = residentBytes();
    const start = performance.now();
    try {
      const pipeline = await loadPipeline(place, await withPreviews(place, all));
      const bytes = Math.max(onDisk ?? 0, residentBytes() - before);
      measured.set(name, bytes);
      const entry = { name, pipeline, bytes, users: 0 };
      loaded.set(name, entry);
      onLoad?.({ model: name, milliseconds: performance.now() - start });
      return entry;
    } catch (error) {
      onLoad?.({ model: name, milliseconds: performance.now() - start, error });
      throw error;
    }
  }

  return {
    get loaded(): readonly string[] {
      return [...loaded.keys()];
    },
    /** Loads the model if need be. Rejects with whatever `loadPipeline` rejects with. */
    async acquire(model: ListedModel, signal: AbortSignal): Promise<Lease> {
      if (closing.signal.aborted) throw new DisposedError('The engine');
      const known = loaded.get(model.name);
      if (known !== undefined) return lease(known);
      const loadInTurn = async () => {
        throwIfAborted(signal);
        return lease(await loadNow(model));
      };
      const loading = lastLoad.then(loadInTurn, loadInTurn);
      lastLoad = loading;
      try {
        return await untilAborted(loading, signal);
      } catch (error) {
        // A client that leaves does not end the load: the next one most likely wants the same model.
        loading.then(
          ({ release }) => release(),
          () => undefined,
        );
        throw error;
      }
    },
    async close(): Promise<void> {
      closing.abort(new DisposedError('The engine'));
      await lastLoad.catch(() => undefined);
      const entries = [...loaded.values()];
      loaded.clear();
      await settleAll(
        entries.map(
          ({ pipeline }) =>
            () =>
              pipeline.dispose(),
        ),
      );
    },
  };
}

/** The embedded model has a small decoder whose previews are as large as its images. */
async function withPreviews(place: string | undefined, options: LoadPipelineOptions): Promise<LoadPipelineOptions> {
  if (place !== undefined || options.components !== undefined) return options;
  try {
    const { previewVae } = await import('@sd/model-tiny');
    return { ...options, components: { preview_vae: previewVae } };
  } catch {
    // loadPipeline says what to install.
    return options;
  }
}

function residentBytes(): number {
  return process.memoryUsage.rss();
}
