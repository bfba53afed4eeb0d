/** What an API answers in its own form. */
export interface Problem {
  readonly status: 400 | 401 | 403 | 404 | 413 | 415 | 422 | 429 | 500 | 503;
  /** For programs, in OpenAI's spelling: `invalid_value`, `model_not_found`. */
  readonly code: string;
  /** Says what is wrong and what to do. */
  readonly message: string;
  /** The field that is wrong, as the API calls it, or an option of `generate()`. */
  readonly param?: string | undefined;
  readonly retryAfterSeconds?: number | undefined;
}

/** A request that cannot be answered. */
export class HttpError extends Error {
  readonly problem: Problem;

  constructor(problem: Problem) {
    super(problem.message);
    this.problem = problem;
  }
}

/** A field that has a value which it cannot have. */
export function invalidField(param: string, message: string): HttpError {
  return new HttpError({ status: 400, code: 'invalid_value', message: `${param}: ${message}`, param });
}
