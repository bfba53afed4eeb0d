import { toFailure } from '@sd/core';
import { createHandlers, type HandlerOptions } from './handlers.js';
import { holdLock } from './liveness.js';
import type { CallName, Calls, FromWorker, MessagePortLike, ToWorker } from './protocol.js';
import { throttledProgress } from './throttled-progress.js';

export interface ServePipelineOptions extends HandlerOptions {
  /** Where the page's messages arrive: this worker by default, or a port of a MessageChannel, as in a shared worker. */
  readonly port?: MessagePortLike;
}

/**
 * Runs a pipeline for a page that calls `loadWorkerPipeline`. Call this once, when the worker's script starts: a worker has
 * one pipeline.
 */
export function servePipeline(options: ServePipelineOptions = {}): void {
  const port = options.port ?? (globalThis as unknown as MessagePortLike);
  const post = (message: FromWorker, transfer: Transferable[] = []) => port.postMessage(message, transfer);
  const progress = throttledProgress((latest) => post({ type: 'progress', progress: latest }));
  const handlers = createHandlers(options, progress.report);
  const aborts = new Map<number, AbortController>();

  async function answer<Name extends CallName>(id: number, name: Name, request: Calls[Name]['request']): Promise<void> {
    const abort = new AbortController();
    aborts.set(id, abort);
    try {
      const { value, transfer } = await handlers[name](request, abort.signal);
      progress.flush();
      post({ type: 'reply', id, value }, transfer);
    } catch (error) {
      post({ type: 'failure', id, failure: toFailure(error) });
    } finally {
      aborts.delete(id);
    }
  }

  let lock: Promise<string | undefined> | undefined;
  const reportReady = async () => {
    lock ??= holdLock();
    post({ type: 'ready', lock: await lock });
  };

  port.addEventListener('message', ({ data }: { readonly data: ToWorker }) => {
    if (data.type === 'abort') aborts.get(data.id)?.abort();
    else if (data.type === 'call') answer(data.id, data.name, data.request);
    else reportReady();
  });
  port.start?.();
  reportReady();
}
