import { BackendError, throwIfAborted } from '@sd/core';
import { checkOptional } from '@sd/core/options';
import type { DownloadProgress } from '@sd/source';
import { watchLock } from './liveness.js';
import { createPendingCalls } from './pending-calls.js';
import type { CallName, Calls, FromWorker, MessagePortLike } from './protocol.js';

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

/** Connects to a worker. Calls wait until the worker's script runs. */
export function connect(port: MessagePortLike, onProgress?: (progress: DownloadProgress) => void): Connection {
  const calls = createPendingCalls((message) => port.postMessage(message, []));
  const watching = new AbortController();
  let ended: (() => Error) | undefined;
  let isReady: () => void = () => undefined;
  const ready = new Promise<void>((resolve) => {
    isReady = resolve;
  });

  const stopListening = listen(port, {
    onMessage(message) {
      if (message.type === 'progress') return onProgress?.(message.progress);
      if (message.type !== 'ready') return calls.settle(message);
      if (message.lock !== undefined) watchLock(message.lock, () => onLost('it has ended'), watching.signal);
      isReady();
    },
    onLost,
  });

  function onLost(why: string): void {
    const message = `The pipeline's worker was lost: ${why}. Start another worker, and load the model in it again.`;
    end(() => new BackendError(message));
  }

  function end(reason: () => Error): void {
    if (ended !== undefined) return;
    ended = reason;
    watching.abort();
    isReady();
    calls.rejectAll(reason);
    stopListening();
    port.terminate?.();
    port.close?.();
  }

  return {
    get ended() {
      return ended !== undefined;
    },
    end,
    async call(name, request, { signal } = {}) {
      checkOptional('signal', signal, signal instanceof AbortSignal, 'an AbortSignal');
      throwIfAborted(signal);
      await ready;
      throwIfAborted(signal);
      if (ended !== undefined) throw ended();
      return calls.send(name, request, signal);
    },
  };
}

interface Listeners {
  onMessage(message: FromWorker): void;
  onLost(why: string): void;
}

/** Listens to a worker, and asks it to report itself ready. Returns a function that stops listening. */
function listen(port: MessagePortLike, { onMessage, onLost }: Listeners): () => void {
  const listeners: [type: string, listener: (event: MessageEvent) => void][] = [
    ['message', ({ data }) => onMessage(data)],
    [
      'error',
      (event: { readonly message?: string; preventDefault?(): void }) => {
        event.preventDefault?.();
        onLost(event.message ?? 'its script could not be loaded');
      },
    ],
    ['messageerror', () => onLost('its message could not be read')],
  ];
  for (const [type, listener] of listeners) port.addEventListener(type, listener);
  port.start?.();
  port.postMessage({ type: 'hello' }, []);
  return () => {
    for (const [type, listener] of listeners) port.removeEventListener(type, listener);
  };
}
