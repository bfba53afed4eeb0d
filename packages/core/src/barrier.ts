import { InternalError, SdError } from './errors.js';
import { type Source, withMethods } from './source.js';

/** What the caller's own code has thrown. */
const thrownByCaller = new WeakSet<object>();

/**
 * Calls the caller's own code: a callback, a Source, a Backend. What it throws passes every barrier unchanged.
 */
export function callersCode<T>(call: () => T): T {
  return catching(call, (error) => {
    if (isObject(error)) thrownByCaller.add(error);
    return error;
  });
}

/**
 * Runs the work of an entry point, named `entry` in messages, so that no untyped error leaves it: what is neither an SdError
 * nor thrown by the caller's own code is a fault of this library and becomes an InternalError. `isCallers` tells which other
 * errors are the caller's.
 */
export function barrier<T>(entry: string, work: () => T, isCallers?: (error: unknown) => boolean): T {
  return catching(work, (error) => typedError(entry, error, isCallers));
}

/** A barrier around the reading of a source: errors of the source itself pass it. */
export function readerBarrier<T>(entry: string, source: Source, read: (source: Source) => T): T {
  return barrier(entry, () => read(callersSource(source)));
}

const callersSources = new WeakSet<Source>();

/** The source, with errors that pass every barrier. */
function callersSource(source: Source): Source {
  if (callersSources.has(source)) return source;
  const wrapped = withMethods(source, {
    read: (...args) => callersCode(() => source.read(...args)),
    size: (path) => callersCode(() => source.size!(path)),
    realPath: (path) => callersCode(() => source.realPath!(path)),
  });
  callersSources.add(wrapped);
  return wrapped;
}

/** The error as it leaves the entry point: see `barrier`, which generators cannot use. */
export function typedError(
  entry: string,
  error: unknown,
  isCallers: (error: unknown) => boolean = () => false,
): unknown {
  const passes = !isObject(error) || SdError.isInstance(error) || thrownByCaller.has(error) || isAbort(error);
  return passes || isCallers(error) ? error : new InternalError(entry, error);
}

/**
 * True unless an error is of a class that JavaScript itself throws. For entry points that call the caller's stages, whose
 * errors cannot be told from those of this library in any other way.
 */
export function isStageError(error: unknown): boolean {
  const ofLanguage = [TypeError, RangeError, ReferenceError, SyntaxError, URIError];
  return !ofLanguage.some((type) => error instanceof type);
}

function catching<T>(work: () => T, change: (error: unknown) => unknown): T {
  const rethrow = (error: unknown): never => {
    throw change(error);
  };
  try {
    const result = work();
    return result instanceof Promise ? (result.catch(rethrow) as T) : result;
  } catch (error) {
    return rethrow(error);
  }
}

const isObject = (value: unknown): value is object =>
  (typeof value === 'object' && value !== null) || typeof value === 'function';

/** The platform's own error for an aborted signal, from a fetch of the caller's. */
const isAbort = (error: object): boolean => error instanceof Error && error.name === 'AbortError';
