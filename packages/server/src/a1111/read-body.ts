import type { Context } from 'hono';
import { HttpError } from '../http/http-error.js';

/** The fields of a request; front ends do not all say that they send JSON. */
export async function readBody(c: Context): Promise<Record<string, unknown>> {
  const values: unknown = await c.req.raw.json().catch(() => undefined);
  if (typeof values === 'object' && values !== null && !Array.isArray(values)) return { ...values };
  throw new HttpError({ status: 422, code: 'invalid_json', message: 'The body must be a JSON object.' });
}
