import { AbortError, BackendError, InvalidOptionError } from '@sd/core';
import { checkOptional } from '@sd/core/options';
import type { DownloadProgress } from '@sd/source';
import { fromFailure } from './failures.js';
import { watchLock } from './life.js';
import type { CallName, Calls, MessagePortLike, ToPage, ToWorker } from './protocol.js';

export interface CallOptions {
  /** Rejects the call at once, and tells the worker. */
  readonly signal?: AbortSignal | undefined;
}

/** A page's end of the line to a worker. */
export interface Connection {
  /** Rejects as the worker says; with an InvalidOptionError for a signal that is none; with an AbortError; with a BackendError where the worker was lost. */
  call<Name extends CallName>(
    name: Name,
    request: Calls[Name]['request'],
    options?: CallOptions,
  ): Promise<Calls[Name]['reply']>;
  /** Has the worker ended, or was it lost? */
  readonly ended: boolean;
  /** Ends the worker; calls that wait, and later ones, reject with what `reason` makes. */
  end(reason: () => Error): void;
}

interface Waiting {
  readonly resolve: (value: never) => void;
  readonly reject: (error: unknown) => void;
}

/** Calls wait until the worker's script runs. */
export function connect(port: MessagePortLike, onProgress?: (progress: DownloadProgress) => void): Connection {
  const waiting = new Map<number, Waiting>();
  const watching = new AbortController();
  let last = 0;
  let ended: (() => Error) | undefined;
  let isReady!: () => void;
  const ready = new Promise<void>((resolve) => {
    isReady = resolve;
  });

  const onMessage = ({ data }: { readonly data: ToPage }) => {
    if (data.type === 'progress') return onProgress?.(data.progress);
    if (data.type === 'ready') {
      if (data.lock !== undefined) watchLock(data.lock, () => lose('it has ended'), watching.signal);
      return isReady();
    }
    const call = waiting.get(data.id);
    waiting.delete(data.id);
    if (data.type === 'failure') call?.reject(fromFailure(data.failure));
    else call?.resolve(data.value as never);
  };
  const onError = (event: { readonly message?: string; preventDefault?(): void }) => {
    event.preventDefault?.();
    lose(event.message ?? 'its script could not be loaded');
  };
  const onMessageError = () => lose('what it sent could not be read');

  function lose(why: string): void {
    end(
      () =>
        new BackendError(
          `The pipeline's worker was lost: ${why}. Start another worker, and load the model in it again.`,
        ),
    );
  }

  function end(reason: () => Error): void {
    if (ended !== undefined) return;
    ended = reason;
    watching.abort();
    isReady();
    for (const call of waiting.values()) call.reject(reason());
    waiting.clear();
    port.removeEventListener('message', onMessage);
    port.removeEventListener('error', onError);
    port.removeEventListener('messageerror', onMessageError);
    port.terminate?.();
    port.close?.();
  }

  const post = (message: ToWorker) => port.postMessage(message, []);

  port.addEventListener('message', onMessage);
  port.addEventListener('error', onError);
  port.addEventListener('messageerror', onMessageError);
  port.start?.();
  post({ type: 'hello' });

  return {
    get ended() {
      return ended !== undefined;
    },
    end,
    async call(name, request, { signal } = {}) {
      checkOptional('signal', signal, signal instanceof AbortSignal, 'an AbortSignal');
      if (signal?.aborted) throw new AbortError(signal.reason);
      last += 1;
      const id = last;
      await ready;
      if (ended !== undefined) throw ended();
      return new Promise((resolve, reject) => {
        if (signal?.aborted) return reject(new AbortError(signal.reason));
        const onAbort = () => {
          waiting.delete(id);
          if (ended === undefined) post({ type: 'abort', id });
          reject(new AbortError(signal?.reason));
        };
        const done = () => signal?.removeEventListener('abort', onAbort);
        waiting.set(id, {
          resolve(value) {
            done();
            resolve(value);
          },
          reject(error) {
            done();
            reject(error);
          },
        });
        signal?.addEventListener('abort', onAbort, { once: true });
        try {
          post({ type: 'call', id, name, request } as ToWorker);
        } catch (error) {
          waiting.delete(id);
          done();
          // Structured cloning does not say where in the options the trouble is.
          reject(new InvalidOptionError('options', `cannot be sent to a worker: ${(error as Error).message}`));
        }
      });
    },
  };
}
