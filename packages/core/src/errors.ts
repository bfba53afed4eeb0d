const marker = Symbol.for('@sd/error');

/** What went wrong, for a program: stable over releases, unlike the message. */
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
  | 'missing-package'
  | 'aborted'
  | 'disposed'
  | 'nonconforming';

/** The base of every error that @sd throws on purpose. Its message says what was wrong, where, and what to do. */
export class SdError extends Error {
  readonly code: ErrorCode;
  /** Marks errors of any copy of this package, where `instanceof` knows only its own. */
  readonly [marker] = true;

  constructor(code: ErrorCode, message: string, options?: ErrorOptions) {
    super(message, options);
    this.name = new.target.name;
    this.code = code;
  }

  /** Is it an error of @sd's, from whichever copy of the package? */
  static isInstance(error: unknown): error is SdError {
    return typeof error === 'object' && error !== null && marker in error;
  }
}

/** An option that a caller gave cannot be used: unknown, out of range, of the wrong type. */
export class InvalidOptionError extends SdError {
  /** Name of the option, as the caller wrote it. */
  readonly option: string;

  constructor(option: string, message: string) {
    super('invalid-option', `${option}: ${message}`);
    this.option = option;
  }
}

/** A file of a source is missing or cannot be read. */
export class SourceError extends SdError {
  readonly path: string;

  constructor(code: 'not-found' | 'read-failed', path: string, message: string, options?: ErrorOptions) {
    super(code, message, options);
    this.path = path;
  }
}

/** A checkpoint is broken, or is not what its config says: the file and, where there is one, the tensor are named. */
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

/** Something valid that this version does not do: a model class, a config value, a tensor type. */
export class UnsupportedError extends SdError {
  constructor(message: string) {
    super('unsupported', message);
  }
}

/** A tensor handed to a stage has the wrong type or shape, or holds NaN or infinity. */
export class TensorError extends SdError {
  constructor(code: 'bad-tensor' | 'not-finite', message: string) {
    super(code, message);
  }
}

/** The runtime under a backend failed: it could not start, load a graph or run it. */
export class BackendError extends SdError {
  /** Why, where it is one of the causes that a program can do something about. */
  readonly reason?: 'out-of-memory' | 'device-lost';

  constructor(message: string, options?: ErrorOptions & { reason?: BackendError['reason'] }) {
    super('backend', message, options);
    if (options?.reason !== undefined) this.reason = options.reason;
  }
}

/** A package that is imported only when needed is not installed. */
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

/** Used after `dispose()`. */
export class DisposedError extends SdError {
  constructor(what: string) {
    super('disposed', `${what} was disposed: make a new one.`);
  }
}
