import type { Backend, Model, RunOptions, Session } from './backend.js';
import { callersCode } from './barrier.js';
import { DisposedError } from './errors.js';
import { settleAll } from './settle.js';
import type { StageResources } from './stages.js';
import type { Tensor } from './tensor.js';

/** A session that is loaded on first use and can be released between uses. */
export interface LazySession extends Required<StageResources> {
  /** See `Extendable.checkFiles`. */
  checkFiles(): Promise<void>;
  /** See `Session.run`. */
  run(feeds: Readonly<Record<string, Tensor>>, options?: RunOptions): Promise<Record<string, Tensor>>;
}

/** Wraps a model as a session that is loaded on demand. */
export function lazySession(backend: Backend, model: Model): LazySession {
  let session: Promise<Session> | undefined;
  let disposed = false;

  const ready = (signal?: AbortSignal): Promise<Session> => {
    if (disposed) return Promise.reject(new DisposedError(model.name));
    if (session !== undefined) return session;
    const loading = callersCode(() => backend.load(model, { signal }));
    session = loading;
    loading.catch(() => {
      if (session === loading) session = undefined;
    });
    return loading;
  };
  const release = async (): Promise<void> => {
    const held = session;
    session = undefined;
    await held?.then((loaded) => loaded.dispose(), ignore);
  };

  return {
    load: async ({ signal } = {}) => void (await ready(signal)),
    checkFiles: async () => void (await settleAll(model.weights.map((file) => () => file.check?.()))),
    run: async (feeds, options = {}) => {
      const loaded = await ready(options.signal);
      return callersCode(() => loaded.run(feeds, options));
    },
    release,
    async dispose() {
      disposed = true;
      await release();
    },
  };
}

/** A session that failed to load holds nothing to free, and its caller has the error. */
function ignore(): void {}
