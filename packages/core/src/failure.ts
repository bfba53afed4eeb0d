import {
  AbortError,
  BackendError,
  CheckpointError,
  DisposedError,
  type ErrorCode,
  InternalError,
  InvalidOptionError,
  MemoryLimitError,
  MissingPackageError,
  SdError,
  SourceError,
  TensorError,
  UnsupportedError,
} from './errors.js';
import { messageOf } from './show.js';

/** An error as data: structured cloning keeps neither classes nor fields. */
export interface Failure {
  readonly name: string;
  readonly message: string;
  readonly stack?: string;
  /** The code of an SdError. */
  readonly code?: ErrorCode;
  /** An SdError's further fields, such as the option, the file or the reason. */
  readonly fields: Readonly<Record<string, string | number>>;
  readonly cause?: Failure;
}

const classes: Readonly<Record<string, { readonly prototype: SdError }>> = {
  AbortError,
  BackendError,
  CheckpointError,
  DisposedError,
  InternalError,
  InvalidOptionError,
  MemoryLimitError,
  MissingPackageError,
  SourceError,
  TensorError,
  UnsupportedError,
};

const fieldNames = ['option', 'path', 'file', 'tensor', 'reason', 'package', 'estimatedBytes', 'limitBytes'];

/** An error as data, with the fields of an SdError. */
export function toFailure(error: unknown): Failure {
  if (!(error instanceof Error)) return { name: 'Error', message: messageOf(error), fields: {} };
  const { name, message, stack, cause } = error;
  const fields = Object.entries(error).filter(([field, value]) => fieldNames.includes(field) && isPlain(value));
  return {
    name,
    message,
    fields: Object.fromEntries(fields),
    stack,
    code: SdError.isInstance(error) ? error.code : undefined,
    cause: cause instanceof Error ? toFailure(cause) : undefined,
  };
}

/** The error again, of the same class if it is an SdError. */
export function fromFailure({ name, message, stack, code, fields, cause }: Failure): Error {
  const options = cause === undefined ? undefined : { cause: fromFailure(cause) };
  const error = code === undefined ? new Error(message, options) : new SdError(code, message, options);
  // A constructor would change the message.
  if (code !== undefined && Object.hasOwn(classes, name)) Object.setPrototypeOf(error, classes[name].prototype);
  return Object.assign(error, { name, ...fields, ...(stack !== undefined && { stack }) });
}

const isPlain = (value: unknown) => typeof value === 'string' || typeof value === 'number';
