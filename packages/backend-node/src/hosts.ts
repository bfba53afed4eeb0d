import { fork } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { Worker } from 'node:worker_threads';
import { createNativeGate, guardExit } from './native-gate.js';
import type { Reply, Request, WorkerSetup } from './protocol.js';

/** The thread or process that ONNX Runtime runs in. */
export interface Host {
  post(message: Request, transfer: readonly ArrayBuffer[]): void;
  /** Whether it keeps the process alive. */
  ref(): void;
  unref(): void;
  /** Ends it at once, even during a native call. Threads lack this method: it would abort the whole process. */
  kill?(): void;
}

export interface HostEvents {
  message(reply: Reply): void;
  /** It has ended; `why` is the reason if that was unexpected. */
  exit(why: string, cause?: unknown): void;
}

/** A thread of this process. */
export function threadHost(setup: Omit<WorkerSetup, 'gate'>, events: HostEvents): Host {
  const gate = createNativeGate();
  const workerData: WorkerSetup = { ...setup, gate };
  // Flags of the main thread, such as --input-type, can keep a worker from starting.
  const worker = new Worker(new URL('./worker.js', import.meta.url), { workerData, execArgv: [] });
  const unguard = guardExit(gate);
  let cause: unknown;
  worker.on('message', events.message);
  worker.on('error', (error) => {
    cause = error;
  });
  worker.on('exit', (code) => {
    unguard();
    events.exit(`ONNX Runtime's worker died: ${cause instanceof Error ? cause.message : `exit code ${code}`}`, cause);
  });
  return {
    post: (message, transfer) => worker.postMessage(message, transfer),
    ref: () => worker.ref(),
    unref: () => worker.unref(),
  };
}

/** A child process, which ends with this one. Messages are copied. */
export function processHost(setup: Omit<WorkerSetup, 'gate'>, events: HostEvents): Host {
  const child = fork(fileURLToPath(new URL('./child.js', import.meta.url)), [JSON.stringify(setup)], {
    serialization: 'advanced',
    execArgv: [],
    stdio: ['ignore', 'ignore', 'ignore', 'ipc'],
  });
  const kill = () => void child.kill('SIGKILL');
  process.on('exit', kill);
  let ended = false;
  const end = (how: string, cause?: unknown) => {
    if (ended) return;
    ended = true;
    process.off('exit', kill);
    events.exit(`ONNX Runtime's process ended: ${how}`, cause);
  };
  child.on('message', (reply) => events.message(reply as Reply));
  child.on('error', (error) => end(error.message, error));
  child.on('exit', (code, signal) => end(signal ?? `exit code ${code}`));
  return {
    // A failure to send means that the process has ended, which is reported above.
    post: (message) => void child.send(message, () => {}),
    // Bun's channel lacks both methods, and does not keep the process alive.
    ref() {
      child.ref();
      child.channel?.ref?.();
    },
    unref() {
      child.unref();
      child.channel?.unref?.();
    },
    kill,
  };
}
