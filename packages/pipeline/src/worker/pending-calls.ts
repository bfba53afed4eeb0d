import { AbortError, fromFailure, InvalidOptionError } from '@sd/core';
import type { CallName, Calls, FromWorker, ToWorker } from './protocol.js';

/** The calls that await a reply from the worker. */
export interface PendingCalls {
  /**
   * Posts a call; its promise is settled by the reply, the signal or `rejectAll`. Rejects with an InvalidOptionError if the
   * request cannot be sent.
   */
  send<Name extends CallName>(
    name: Name,
    request: Calls[Name]['request'],
    signal: AbortSignal | undefined,
  ): Promise<Calls[Name]['reply']>;
  settle(message: FromWorker & { readonly type: 'reply' | 'failure' }): void;
  rejectAll(reason: () => Error): void;
}

interface PendingCall {
  readonly resolve: (value: never) => void;
  readonly reject: (error: unknown) => void;
}

export function createPendingCalls(post: (message: ToWorker) => void): PendingCalls {
  const pending = new Map<number, PendingCall>();
  let lastId = 0;

  return {
    async send(name, request, signal) {
      lastId += 1;
      const id = lastId;
      const reply = new Promise<never>((resolve, reject) => pending.set(id, { resolve, reject }));
      const onAbort = () => {
        post({ type: 'abort', id });
        pending.get(id)?.reject(new AbortError(signal?.reason));
      };
      signal?.addEventListener('abort', onAbort);
      try {
        postCall(post, { type: 'call', id, name, request } as ToWorker);
        return await reply;
      } finally {
        signal?.removeEventListener('abort', onAbort);
        pending.delete(id);
      }
    },
    settle(message) {
      const call = pending.get(message.id);
      if (message.type === 'failure') call?.reject(fromFailure(message.failure));
      else call?.resolve(message.value as never);
    },
    rejectAll(reason) {
      for (const call of pending.values()) call.reject(reason());
      pending.clear();
    },
  };
}

function postCall(post: (message: ToWorker) => void, call: ToWorker): void {
  try {
    post(call);
  } catch (error) {
    // Structured cloning does not say which option failed.
    throw new InvalidOptionError('options', `cannot be sent to a worker: ${(error as Error).message}`);
  }
}
