/** Shared between the main thread and the worker: is the worker inside a native call, and may it begin one? */
export type NativeGate = Int32Array<SharedArrayBuffer>;

const idle = 0;
const inside = 1;
const closed = 2;

export const createNativeGate = (): NativeGate => new Int32Array(new SharedArrayBuffer(4));

/** In the worker: makes native calls, one at a time. Never settles once the gate is closed. */
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
 * When a process ends, Node stops its workers, and a worker inside a native call then aborts the process, whatever
 * its exit code was to be. So process.exit() and an uncaught exception wait here for that call.
 */
function closeGates(): void {
  for (const gate of gates) {
    while (Atomics.compareExchange(gate, 0, idle, closed) === inside) Atomics.wait(gate, 0, inside);
  }
}

/** In the main thread: guards the process's end while a worker lives. Gives the function that stops guarding. */
export function guardExit(gate: NativeGate): () => void {
  if (gates.size === 0) process.on('exit', closeGates);
  gates.add(gate);
  return () => {
    gates.delete(gate);
    if (gates.size === 0) process.off('exit', closeGates);
  };
}
