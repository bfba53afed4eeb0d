import { type BusyError, InvalidOptionError, SdError, TensorError } from '@sd/core';
import { HttpError, type Problem } from './http-error.js';

/** What to answer for an error. The messages of unforeseen ones are for the server's owner alone. */
export function problemOf(error: unknown): Problem {
  if (error instanceof HttpError) return error.problem;
  if (error instanceof InvalidOptionError) {
    return { status: 400, code: 'invalid_value', message: error.message, param: error.option };
  }
  if (SdError.isInstance(error)) return { ...forCode(error), message: error.message };
  return { status: 500, code: 'internal_error', message: 'The server met an unexpected error.' };
}

/** By codes: engines have error classes of their own. */
function forCode(error: SdError): Omit<Problem, 'message'> {
  const code = error.code.replaceAll('-', '_');
  switch (error.code) {
    case 'busy':
      return { status: 429, code: 'rate_limit_exceeded', retryAfterSeconds: (error as BusyError).retryAfterSeconds };
    case 'unknown-model':
      return { status: 404, code: 'model_not_found', param: 'model' };
    case 'memory-limit':
    case 'unsupported':
      return { status: 400, code };
    case 'bad-tensor':
      return { status: error instanceof TensorError ? 400 : 500, code };
    case 'aborted':
    case 'disposed':
      return { status: 503, code: 'shutting_down' };
    default:
      return { status: 500, code };
  }
}
