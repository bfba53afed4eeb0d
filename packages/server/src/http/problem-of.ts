import { InvalidOptionError, SdError, TensorError } from '@sd/core';
import { BusyError, UnknownModelError } from '../engine-errors.js';
import { HttpError, type Problem } from './http-error.js';

/** What to answer for an error. The messages of unforeseen ones are for the server's owner alone. */
export function problemOf(error: unknown): Problem {
  if (error instanceof HttpError) return error.problem;
  if (error instanceof BusyError) {
    const { message, retryAfterSeconds } = error;
    return { status: 429, code: 'rate_limit_exceeded', message, retryAfterSeconds };
  }
  if (error instanceof UnknownModelError) {
    return { status: 404, code: 'model_not_found', message: error.message, param: 'model' };
  }
  if (error instanceof InvalidOptionError) {
    return { status: 400, code: 'invalid_value', message: error.message, param: error.option };
  }
  if (SdError.isInstance(error)) return { ...forCode(error), message: error.message };
  return { status: 500, code: 'internal_error', message: 'The server met an unexpected error.' };
}

function forCode(error: SdError): Pick<Problem, 'status' | 'code'> {
  const code = error.code.replaceAll('-', '_');
  switch (error.code) {
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
