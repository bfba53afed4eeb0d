import { SdError } from './errors.js';

/**
 * One case of a conformance suite. A suite is a plain list, for any test runner:
 * `for (const { name, run } of vaeSuite(...)) test(name, run)`.
 */
export interface ConformanceCase {
  readonly name: string;
  readonly run: () => Promise<void>;
}

/** A stage violates its contract. */
export class ConformanceError extends SdError {
  constructor(message: string) {
    super('nonconforming', message);
  }
}

/** Throws a ConformanceError unless the condition holds. */
export function conforms(condition: boolean, message: string): asserts condition {
  if (!condition) throw new ConformanceError(message);
}

/** Runs a function that must reject and returns the error. Throws a ConformanceError if it resolves. */
export async function rejection(what: string, run: () => Promise<unknown>): Promise<unknown> {
  try {
    await run();
  } catch (error) {
    return error;
  }
  throw new ConformanceError(`${what} must reject, but it resolved.`);
}

/** Creates a stage for one case and disposes it afterwards, even if the case fails. */
export async function withStage<T extends { dispose?(): Promise<void> }>(
  create: () => Promise<T> | T,
  run: (stage: T) => Promise<void>,
): Promise<void> {
  const stage = await create();
  try {
    await run(stage);
  } finally {
    await stage.dispose?.();
  }
}
