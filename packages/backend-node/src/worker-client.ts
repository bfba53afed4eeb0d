import { AbortError, BackendError } from '@sd/core';
import { type Host, processHost, threadHost } from './hosts.js';
import type { CallName, Calls, Failure, Reply, Request, WorkerSetup } from './protocol.js';

/** A call failed in the worker. */
export class CallFailure extends Error {
  constructor(readonly failure: Failure) {
    super(failure.text);
  }
}

export interface CallOptions<Name extends CallName> {
  readonly transfer?: readonly ArrayBuffer[];
  readonly signal?: AbortSignal;
  /** Called just before the call is sent. If it throws, the call rejects with its error. */
  readonly check?: () => void;
  /** Called with the result of a call that was aborted while the worker was executing it. */
  readonly onLateResult?: (value: Calls[Name]['reply']) => void;
}

export interface WorkerClient {
  /** Queues a call. Rejects with a CallFailure, an AbortError, or a BackendError if the worker died. */
  call<Name extends CallName>(
    name: Name,
    request: Calls[Name]['request'],
    options?: CallOptions<Name>,
  ): Promise<Calls[Name]['reply']>;
  /** Waits for the call in flight, then ends the worker. Queued and later calls reject with the error that `reason` returns. */
  close(reason: () => Error): Promise<void>;
}

interface Task {
  readonly message: Request;
  readonly transfer: readonly ArrayBuffer[];
  readonly check?: () => void;
  readonly done: (reply: Reply) => void;
  readonly fail: (error: unknown) => void;
}

export interface WorkerClientOptions {
  /** Runs the worker in a child process, which can be ended during a native call. */
  readonly childProcess: boolean;
  /** Milliseconds that a call may take before that process is ended; unlimited by default. */
  readonly timeLimit?: number;
}

/** Milliseconds that closing waits for the call in flight before it ends a child process. */
const patience = 2000;

/**
 * A worker that starts on the first call and gets one call at a time, so that queued ones can be dropped. It keeps the
 * process alive only while there are calls. A worker thread is never terminated: during a native call that would abort the
 * process.
 */
export function createWorkerClient(
  setup: Omit<WorkerSetup, 'gate'>,
  { childProcess, timeLimit }: WorkerClientOptions,
): WorkerClient {
  const queue: Task[] = [];
  let worker: Host | undefined;
  let current: Task | undefined;
  /** Returns the error of every further call. */
  let ended: (() => Error) | undefined;
  let exited: Promise<void> = Promise.resolve();

  /** Why the host was ended, if this client ended it. */
  let killed: string | undefined;
  let timer: ReturnType<typeof setTimeout> | undefined;

  function spawn(): Host {
    const host = childProcess ? processHost : threadHost;
    let onExit!: () => void;
    exited = new Promise((resolve) => {
      onExit = resolve;
    });
    return host(setup, {
      message(reply) {
        clearTimeout(timer);
        const task = current;
        current = undefined;
        task?.done(reply);
        next();
      },
      exit(why, cause) {
        clearTimeout(timer);
        const message = `${killed ?? why}. Create a new backend, or load the model again.`;
        ended ??= () => new BackendError(message, { cause, ...(childProcess ? { reason: 'process-ended' } : {}) });
        for (const task of [...(current === undefined ? [] : [current]), ...queue.splice(0)]) task.fail(ended());
        current = undefined;
        onExit();
      },
    });
  }

  function limitTime(): void {
    if (timeLimit === undefined) return;
    timer = setTimeout(() => {
      killed = `ONNX Runtime was ended because a call took longer than the time limit of ${timeLimit} ms`;
      worker?.kill?.();
    }, timeLimit);
  }

  function next(): void {
    while (current === undefined) {
      const task = queue.shift();
      if (task === undefined) {
        worker?.unref();
        return;
      }
      try {
        task.check?.();
        worker ??= spawn();
        worker.ref();
        worker.post(task.message, task.transfer);
        current = task;
        limitTime();
      } catch (error) {
        task.fail(error);
      }
    }
  }

  function call<Name extends CallName>(
    name: Name,
    request: Calls[Name]['request'],
    { transfer = [], signal, check, onLateResult }: CallOptions<Name> = {},
  ): Promise<Calls[Name]['reply']> {
    return new Promise((resolve, reject) => {
      if (ended !== undefined) return reject(ended());
      if (signal?.aborted) return reject(new AbortError(signal.reason));
      const onAbort = () => {
        const index = queue.indexOf(task);
        if (index >= 0) queue.splice(index, 1);
        reject(new AbortError(signal?.reason));
      };
      const task: Task = {
        message: { call: name, ...request } as Request,
        transfer,
        check,
        done: (reply) => {
          signal?.removeEventListener('abort', onAbort);
          if ('failure' in reply) return reject(new CallFailure(reply.failure));
          if (signal?.aborted) onLateResult?.(reply.value as Calls[Name]['reply']);
          resolve(reply.value as Calls[Name]['reply']);
        },
        fail: (error) => {
          signal?.removeEventListener('abort', onAbort);
          reject(error);
        },
      };
      signal?.addEventListener('abort', onAbort, { once: true });
      queue.push(task);
      next();
    });
  }

  async function close(reason: () => Error): Promise<void> {
    if (ended === undefined) {
      for (const task of queue.splice(0)) task.fail(reason());
      // A failed release needs no handling: the worker ends and frees everything.
      const closing = worker === undefined ? undefined : call('close', {}).catch(() => undefined);
      ended = reason;
      const ending = worker?.kill && setTimeout(worker.kill, patience);
      await Promise.race([closing, exited]);
      exited = exited.finally(() => clearTimeout(ending));
    }
    worker?.ref();
    await exited;
  }

  return { call, close };
}
