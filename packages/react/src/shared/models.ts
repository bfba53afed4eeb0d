import type { WorkerSource } from '@sd/pipeline/worker';
import { createModel, type Model, type ModelOptions } from './model.js';

export interface ModelsOptions {
  /**
   * Starts a worker whose script calls `servePipeline()`. Default: this package's own, which bundlers find by
   * `new Worker(new URL(...))`.
   */
  readonly worker?: () => Worker;
  /** Milliseconds that a model stays loaded after its last user has gone. Default: 1000. */
  readonly keepAlive?: number;
}

/** A use of a model; the model is freed some time after its last use has ended. */
export interface ModelUse {
  readonly model: Model;
  end(): void;
}

/** The models of a page, each of which is loaded once for all its users. */
export interface Models {
  use(source: WorkerSource | undefined, options?: ModelOptions): ModelUse;
}

const ownWorker = () => new Worker(new URL('./worker.js', import.meta.url), { type: 'module' });

export function createModels({ worker = ownWorker, keepAlive = 1000 }: ModelsOptions = {}): Models {
  const entries = new Map<string, { readonly model: Model; uses: number; timer?: ReturnType<typeof setTimeout> }>();

  return {
    use(source, options = {}) {
      const key = modelKey(source, options);
      let entry = entries.get(key);
      if (entry === undefined) {
        entry = { model: createModel(worker, source, options), uses: 0 };
        entries.set(key, entry);
      }
      const held = entry;
      held.uses += 1;
      clearTimeout(held.timer);
      let ended = false;
      return {
        model: held.model,
        end() {
          if (ended) return;
          ended = true;
          held.uses -= 1;
          if (held.uses > 0) return;
          held.timer = setTimeout(() => {
            entries.delete(key);
            held.model.dispose();
          }, keepAlive);
        },
      };
    },
  };
}

const numbers = new WeakMap<object, number>();
let count = 0;

/** Tells apart files, which have no address, by their identity. */
function numberOf(object: object): number {
  const known = numbers.get(object);
  if (known !== undefined) return known;
  count += 1;
  numbers.set(object, count);
  return count;
}

/** A text that is the same for the same model: by value for addresses and options, by identity for files. */
export function modelKey(source: WorkerSource | undefined, options: ModelOptions): string {
  const plain = typeof source === 'string' || source === undefined || source instanceof URL;
  return JSON.stringify([plain ? String(source ?? '') : numberOf(source), options]);
}
