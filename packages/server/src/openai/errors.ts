import type { Problem } from '../http/http-error.js';
import { fieldOfOption } from './fields.js';

/** An error in OpenAI's form: `{ error: { message, type, param, code } }`. */
export function errorBody({ status, code, message, param }: Problem): object {
  const field = param === undefined ? null : (fieldOfOption[param] ?? param);
  return { error: { message, type: typeOf(status), param: field, code } };
}

function typeOf(status: number): string {
  if (status === 429) return 'rate_limit_error';
  return status >= 500 ? 'server_error' : 'invalid_request_error';
}
