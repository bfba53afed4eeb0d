import { BackendError } from '@sd/core';

/** What runtimes say when memory runs out: C++, emscripten, JavaScript engines, Dawn. */
const noMemory =
  /bad_alloc|out of memory|OOM|failed to allocate|allocation failed|Cannot enlarge memory|memory access out of bounds/i;

/** Why a call to ONNX Runtime failed, with the name of the model that it was for. */
export function explained(model: string, error: unknown, loss: string | undefined): unknown {
  const text = error instanceof Error ? error.message : String(error);
  if (loss !== undefined) {
    return new BackendError(`${model}: the graphics device was lost (${loss}). The next call opens it anew.`, {
      reason: 'device-lost',
      cause: error,
    });
  }
  if ((error instanceof BackendError && error.reason === 'out-of-memory') || noMemory.test(text)) {
    return new BackendError(
      `${model}: there is not enough memory. Make smaller pictures, or use \`releaseStages\`. ONNX Runtime said: ${text}`,
      { reason: 'out-of-memory', cause: error },
    );
  }
  return new BackendError(`${model}: ${text}`, { cause: error });
}
