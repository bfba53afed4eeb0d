import { AbortError, BackendError, InvalidOptionError } from '@sd/core';
import { checkOptional } from '@sd/core/options';
import type { DownloadProgress } from '@sd/source';
import { fromFailure } from './failures.js';
import { watchLock } from './liveness.js';
import type { CallName, Calls, FromWorker, MessagePortLike, ToWorker } from './protocol.js';

export interface CallOptions {
  /** Rejects the call at once, and aborts it in the worker. */
  readonly signal?: AbortSignal | undefined;
}

/** The page's end of the connection to a worker. */
export interface Connection {
  /**
   * Rejects with the worker's error, an InvalidOptionError if `signal` is not an AbortSignal, an AbortError, or a
   * BackendError if the worker was lost.
   */
  call<Name extends CallName>(
    name: Name,
    request: Calls[Name]['request'],
    options?: CallOptions,
  ): Promise<Calls[Name]['reply']>;
  /** True once the worker has ended or was lost. */
  readonly ended: boolean;
  /** Ends the worker; pending and later calls reject with the error that `reason` makes. */
  end(reason: () => Error): void;
}

interface PendingCall {
  readonly resolve: (value: never) => void;
  readonly reject: (error: unknown) => void;
}

/** Connects to a worker. Calls wait until the worker's script runs. */
export function connect(port: MessagePortLike, onProgress?: (progress: DownloadProgress) => void): Connection {
  const pending = new Map<number, PendingCall>();
  const watching = new AbortController();
  let lastId = 0;
  let ended: (() => Error) | undefined;
  let isReady!: () => void;
  const ready = new Promise<void>((resolve) => {
    isReady = resolve;
  });

  const onMessage = ({ data }: { readonly data: FromWorker }) => {
    if (data.type === 'progress') return onProgress?.(data.progress);
    if (data.type === 'ready') {
      if (data.lock !== undefined) watchLock(data.lock, () => lose('it has ended'), watching.signal);
      return isReady();
    }
    const call = pending.get(data.id);
    pending.delete(data.id);
    if (data.type === 'failure') call?.reject(fromFailure(data.failure));
    else call?.resolve(data.value as never);
  };
  const onError = (event: { readonly message?: string; preventDefault?(): void }) => {
    event.preventDefault?.();
    lose(event.message ?? 'its script could not be loaded');
  };
  const onMessageError = () => lose('its message could not be read');

  function lose(why: string): void {
    const message = `The pipeline's worker was lost: ${why}. Start another worker, and load the model in it again.`;
    end(() => new BackendError(message));
  }

  function end(reason: () => Error): void {
    if (ended !== undefined) return;
    ended = reason;
    watching.abort();
    isReady();
    for (const call of pending.values()) call.reject(reason());
    pending.clear();
    port.removeEventListener('message', onMessage);
    port.removeEventListener('error', onError);
    port.removeEventListener('messageerror', onMessageError);
    port.terminate?.();
    port.close?.();
  }

  const post = (message: ToWorker) => port.postMessage(message, []);

  /** Posts a call; its promise is settled by the reply, the signal, or the worker's end. */
  function send(call: Omit<ToWorker & { readonly type: 'call' }, 'type'>, signal: AbortSignal | undefined) {
    const { id } = call;
    return new Promise<never>((resolve, reject) => {
      if (signal?.aborted) return reject(new AbortError(signal.reason));
      const onAbort = () => {
        pending.delete(id);
        if (ended === undefined) post({ type: 'abort', id });
        reject(new AbortError(signal?.reason));
      };
      const done = () => signal?.removeEventListener('abort', onAbort);
      pending.set(id, {
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
        post({ type: 'call', ...call } as ToWorker);
      } catch (error) {
        pending.delete(id);
        done();
        // Structured cloning does not say which option failed.
        reject(new InvalidOptionError('options', `cannot be sent to a worker: ${(error as Error).message}`));
      }
    });
  }

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
      lastId += 1;
      const id = lastId;
      await ready;
      if (ended !== undefined) throw ended();
      return send({ id, name, request } as Omit<ToWorker & { readonly type: 'call' }, 'type'>, signal);
    },
  };
}
