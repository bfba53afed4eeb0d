/** State shared between the main thread and the worker: whether the worker is inside a native call, or may not start one. */
export type NativeGate = Int32Array<SharedArrayBuffer>;

const idle = 0;
const inside = 1;
const closed = 2;

export const createNativeGate = (): NativeGate => new Int32Array(new SharedArrayBuffer(4));

/** In the worker: makes native calls, one at a time. Never settles after the gate is closed. */
export async function throughGate<T>(gate: NativeGate, action: () => Promise<T>): Promise<T> {
  if (Atomics.compareExchange(gate, 0, idle, inside) === closed) await new Promise(() => {});
  try {
    return await action();
  } finally {
    Atomics.store(gate, 0, idle);
    Atomics.notify(gate, 0);
  }
}

const gates = new Set<NativeGate>();

/**
 * When a process exits, Node stops its workers, and a worker inside a native call then aborts the process, which loses its
 * exit code. So process.exit() and uncaught exceptions wait here for that call.
 */
function closeGates(): void {
  for (const gate of gates) {
    while (Atomics.compareExchange(gate, 0, idle, closed) === inside) Atomics.wait(gate, 0, inside);
  }
}

/** In the main thread: delays the process's exit while a worker is inside a native call. Returns a function that ends this. */
export function guardExit(gate: NativeGate): () => void {
  if (gates.size === 0) process.on('exit', closeGates);
  gates.add(gate);
  return () => {
    gates.delete(gate);
    if (gates.size === 0) process.off('exit', closeGates);
  };
}
