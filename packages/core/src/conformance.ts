import { SdError } from './errors.js';

/**
 * One case of a conformance suite. Suites are plain lists, for any test runner:
 * `for (const { name, run } of vaeSuite(...)) test(name, run)`.
 */
export interface ConformanceCase {
  readonly name: string;
  readonly run: () => Promise<void>;
}

/** A stage does not keep its contract. */
export class ConformanceError extends SdError {
  constructor(message: string) {
    super('nonconforming', message);
  }
}

/** Throws a ConformanceError unless the condition holds. */
export function conforms(condition: boolean, message: string): asserts condition {
  if (!condition) throw new ConformanceError(message);
}

/** Runs a function that must reject, and gives what it rejected with. */
export async function rejection(what: string, run: () => Promise<unknown>): Promise<unknown> {
  try {
    await run();
  } catch (error) {
    return error;
  }
  throw new ConformanceError(`${what} must reject, but it resolved.`);
}
