import { BackendError, type Model, throwIfAborted, untilAborted } from '@sd/core';
import type { Runtime } from './runtime.js';

/** A file of weights as ONNX Runtime takes it: bytes under the name that the graph knows. */
export interface MountedFile {
  readonly path: string;
  readonly data: Uint8Array;
}

/** All that a WebAssembly module with 32-bit addresses can have. */
const wasmMemory = 2 ** 32;

/**
 * Reads a model's files of weights as they are, one after the other: ONNX Runtime copies what it needs of them and keeps
 * none.
 */
export async function readWeights(model: Model, signal: AbortSignal | undefined): Promise<MountedFile[]> {
  const files: MountedFile[] = [];
  for (const file of model.weights) {
    throwIfAborted(signal);
    files.push({ path: file.location, data: await untilAborted(file.read(signal), signal) });
  }
  return files;
}

/** Throws a BackendError for weights that WebAssembly's memory has no room for, before any of them is read. */
export function expectRoom(model: Model, { held }: Runtime): void {
  const needed = model.hints?.weightBytes ?? 0;
  if (needed + held <= wasmMemory) return;
  const beside = held === 0 ? '' : `, beside the ${gib(held)} that are loaded`;
  throw new BackendError(
    `${model.name}: its weights take ${gib(needed)}${beside}, and WebAssembly has 4 GiB for all. ` +
      'Use WebGPU, a smaller model, or `releaseStages`, which keeps one stage at a time.',
    { reason: 'out-of-memory' },
  );
}

const gib = (bytes: number) => `${(bytes / 2 ** 30).toFixed(1)} GiB`;
