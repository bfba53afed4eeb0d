import { BackendError, type Model, throwIfAborted, untilAborted } from '@sd/core';
import type { Runtime } from './runtime.js';

/** A weight file for ONNX Runtime: its bytes under its location in the graph. */
export interface MountedFile {
  readonly path: string;
  readonly data: Uint8Array;
}

/** The memory limit of a WebAssembly module with 32-bit addresses. */
const wasmMemory = 2 ** 32;

/**
 * Reads a model's weight files, one after the other. ONNX Runtime copies what it needs from them and keeps none.
 */
export async function readWeights(model: Model, signal: AbortSignal | undefined): Promise<MountedFile[]> {
  const files: MountedFile[] = [];
  for (const file of model.weights) {
    throwIfAborted(signal);
    files.push({ path: file.location, data: await untilAborted(file.read(signal), signal) });
  }
  return files;
}

/** Throws a BackendError, before anything is read, if the weights do not fit in WebAssembly memory. */
export function expectRoom(model: Model, { held }: Runtime): void {
  const needed = model.hints?.weightBytes ?? 0;
  if (needed + held <= wasmMemory) return;
  const besides = held === 0 ? '' : ` in addition to the ${gib(held)} that are loaded`;
  throw new BackendError(
    `${model.name}: its weights take ${gib(needed)}${besides}, and WebAssembly has 4 GiB for all. ` +
      'Use WebGPU, a smaller model, or `releaseStages`, which keeps one stage at a time.',
    { reason: 'out-of-memory' },
  );
}

const gib = (bytes: number) => `${(bytes / 2 ** 30).toFixed(1)} GiB`;
