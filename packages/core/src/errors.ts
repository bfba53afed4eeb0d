import { messageOf } from './show.js';

const marker = Symbol.for('@sd/error');

/** Identifies an error to programs. Codes are stable across releases; messages are not. */
export type ErrorCode =
  | 'invalid-option'
  | 'not-found'
  | 'read-failed'
  | 'bad-checkpoint'
  | 'bad-config'
  | 'missing-tensor'
  | 'misshapen-tensor'
  | 'unsupported'
  | 'bad-tensor'
  | 'not-finite'
  | 'backend'
  | 'memory-limit'
  | 'missing-package'
  | 'aborted'
  | 'disposed'
  | 'nonconforming'
  | 'busy'
  | 'unknown-model'
  | 'unknown-job'
  | 'job-failed'
  | 'job-cancelled'
  | 'queue-unreachable'
  | 'internal';

/**
 * Explains each code, under a heading of its name. Without a homepage on the web, it is the copy that this package ships,
 * which is also a page of the documentation.
 */
const helpPage = '@sd/core/errors.md';

/** The base class of every error that @sd throws on purpose. The message says what is wrong, where, and what to do. */
export class SdError extends Error {
  readonly code: ErrorCode;
  /**
   * Where the code is explained: what happened, usual causes, what to do. A property rather than a part of the message, so
   * that messages stay short; Node and browsers print it below the stack of an error that is not caught.
   */
  readonly help: string;

  constructor(code: ErrorCode, message: string, options?: ErrorOptions) {
    super(message, options);
    this.name = new.target.name;
    this.code = code;
    this.help = `${helpPage}#${code}`;
  }

  /** Identifies errors across copies of this package, where `instanceof` fails. */
  get [marker](): true {
    return true;
  }

  /** True for any SdError, even one from another copy of this package. */
  static isInstance(error: unknown): error is SdError {
    return typeof error === 'object' && error !== null && marker in error;
  }
}

/** An option is unknown, out of range or of the wrong type. */
export class InvalidOptionError extends SdError {
  /** The option's name, as the caller wrote it. */
  readonly option: string;

  constructor(option: string, message: string) {
    super('invalid-option', `${option}: ${message}`);
    this.option = option;
  }
}

/** A file is missing or cannot be read. */
export class SourceError extends SdError {
  readonly path: string;

  constructor(code: 'not-found' | 'read-failed', path: string, message: string, options?: ErrorOptions) {
    super(code, message, options);
    this.path = path;
  }
}

/** A checkpoint is broken or does not match its config. Names the file and, if there is one, the tensor. */
export class CheckpointError extends SdError {
  readonly file: string;
  readonly tensor?: string;

  constructor(
    code: 'bad-checkpoint' | 'bad-config' | 'missing-tensor' | 'misshapen-tensor',
    file: string,
    message: string,
    options?: ErrorOptions & { tensor?: string },
  ) {
    super(code, `${file}: ${message}`, options);
    this.file = file;
    if (options?.tensor !== undefined) this.tensor = options.tensor;
  }
}

/** Something valid that this version does not support: a model class, a config value, a tensor type. */
export class UnsupportedError extends SdError {
  constructor(message: string) {
    super('unsupported', message);
  }
}

/** A tensor passed to a stage has the wrong type or shape, or contains NaN or infinity. */
export class TensorError extends SdError {
  constructor(code: 'bad-tensor' | 'not-finite', message: string) {
    super(code, message);
  }
}

/** A backend's runtime failed to start, to load a graph or to run it. */
export class BackendError extends SdError {
  /** The cause, if it is one that a program can react to. */
  readonly reason?: 'out-of-memory' | 'device-lost' | 'process-ended';

  constructor(message: string, options?: ErrorOptions & { reason?: BackendError['reason'] }) {
    super('backend', message, options);
    if (options?.reason !== undefined) this.reason = options.reason;
  }
}

/** A run is expected to take more memory than it may. Nothing has been allocated for it. */
export class MemoryLimitError extends SdError {
  /** Bytes that it is expected to take, besides the weights. */
  readonly estimatedBytes: number;
  readonly limitBytes: number;

  constructor(
    message: string,
    { estimatedBytes, limitBytes }: { readonly estimatedBytes: number; readonly limitBytes: number },
  ) {
    super('memory-limit', message);
    this.estimatedBytes = estimatedBytes;
    this.limitBytes = limitBytes;
  }
}

/** A package that is imported on demand is not installed. */
export class MissingPackageError extends SdError {
  readonly package: string;

  constructor(name: string, purpose: string, options?: ErrorOptions) {
    super('missing-package', `${purpose} needs the package ${name}: npm install ${name}`, options);
    this.package = name;
  }
}

/** The caller's signal was aborted. `cause` is the signal's reason. */
export class AbortError extends SdError {
  constructor(cause?: unknown) {
    super('aborted', 'The operation was aborted.', { cause });
    this.name = 'AbortError';
  }
}

/** The object was used after `dispose()`. */
export class DisposedError extends SdError {
  constructor(what: string) {
    super('disposed', `${what} was disposed: create a new one.`);
  }
}

/** No more jobs can wait. Nothing was queued or started. */
export class BusyError extends SdError {
  /** When to try again. */
  readonly retryAfterSeconds: number;

  constructor(waiting: number, retryAfterSeconds: number) {
    super('busy', `${waiting} jobs wait already: try again in about ${retryAfterSeconds} s.`);
    this.retryAfterSeconds = retryAfterSeconds;
  }
}

/** A job names a model that nothing here can draw with. */
export class UnknownModelError extends SdError {
  readonly model: string;

  constructor(model: string, message: string) {
    super('unknown-model', message);
    this.model = model;
  }
}

/** A fault of this library, or of a custom stage, and not of the input. `cause` is the error that the operation met. */
export class InternalError extends SdError {
  constructor(entry: string, cause: unknown) {
    const advice = 'Unless it comes from a stage of your own, please report it with the stack of its cause.';
    super('internal', `${entry} failed with an unexpected error: ${messageOf(cause)}. ${advice}`, { cause });
  }
}
