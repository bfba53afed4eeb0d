import { Hono } from 'hono';
import type { Api } from '../api.js';

/** A1111's API. */
export const a1111: Api = {
  prefix: '/sdapi/v1',
  routes: () => new Hono(),
  errorBody: ({ code, message }) => ({ error: code, detail: message, body: '', errors: message }),
};
