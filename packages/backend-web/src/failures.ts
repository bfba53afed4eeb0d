import { BackendError, messageOf } from '@sd/core';

/** Out-of-memory messages of C++, emscripten, JavaScript engines and Dawn. */
const noMemory =
  /bad_alloc|out of memory|OOM|failed to allocate|allocation failed|Cannot enlarge memory|memory access out of bounds/i;

/** Wraps the error of a call to ONNX Runtime in a BackendError with the model's name and, if known, a reason. */
export function explained(model: string, error: unknown, loss: string | undefined): unknown {
  const text = messageOf(error);
  if (loss !== undefined) {
    return new BackendError(`${model}: the graphics device was lost (${loss}). The next call opens it again.`, {
      reason: 'device-lost',
      cause: error,
    });
  }
  if ((error instanceof BackendError && error.reason === 'out-of-memory') || noMemory.test(text)) {
    return new BackendError(
      `${model}: there is not enough memory. Generate smaller images, or use \`releaseStages\`. ONNX Runtime said: ${text}`,
      { reason: 'out-of-memory', cause: error },
    );
  }
  return new BackendError(`${model}: ${text}`, { cause: error });
}
