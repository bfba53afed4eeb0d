import type { Hono } from 'hono';
import type { Problem } from './http/http-error.js';
import type { Runtime } from './runtime.js';

/** An API that the server speaks: its paths, and the form of its errors. */
export interface Api {
  /** Its paths begin with this. */
  readonly prefix: string;
  routes(runtime: Runtime): Hono;
  errorBody(problem: Problem): object;
}
