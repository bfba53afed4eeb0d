import type { Context, Hono } from 'hono';
import type { Problem } from './http-error.js';
import { problemOf } from './problem-of.js';

export interface AnswerErrorsOptions {
  /** The body of an error, in the form of the API that a path belongs to. */
  bodyOf(path: string, problem: Problem): object;
  /** Called for errors that are the server's own. */
  readonly onError?: ((error: unknown, request: { readonly id: string; readonly path: string }) => void) | undefined;
}

/** Answers errors, and paths at which there is nothing. */
export function answerErrors(app: Hono, { bodyOf, onError }: AnswerErrorsOptions): void {
  const answer = (c: Context, problem: Problem) => {
    const { status, retryAfterSeconds } = problem;
    if (retryAfterSeconds !== undefined) c.header('retry-after', String(retryAfterSeconds));
    // What is left of the body is not read, so the connection cannot be used again.
    if (status === 413) c.header('connection', 'close');
    if (status === 401) c.header('www-authenticate', 'Bearer');
    return c.json(bodyOf(c.req.path, problem), status);
  };
  app.notFound((c) => {
    const message = `There is nothing at ${c.req.method} ${c.req.path}.`;
    return answer(c, { status: 404, code: 'unknown_url', message });
  });
  app.onError((error, c) => {
    const problem = problemOf(error);
    const isExpected = problem.status < 500 || problem.code === 'shutting_down' || c.req.raw.signal.aborted;
    if (!isExpected) onError?.(error, { id: c.get('requestId') as string, path: c.req.path });
    return answer(c, problem);
  });
}
