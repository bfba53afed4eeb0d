import { type Failure, fromFailure, InvalidOptionError, SdError } from '@sd/core';

/** There is no job of this id: it never was, or its result has expired. */
export class UnknownJobError extends SdError {
  readonly jobId: string;

  constructor(jobId: string) {
    super('unknown-job', `There is no job ${JSON.stringify(jobId)}: it never was, or its result has expired.`);
    this.jobId = jobId;
  }
}

/** A job failed on its worker. `cause` is the worker's error. */
export class JobFailedError extends SdError {
  readonly jobId: string;

  constructor(jobId: string, message: string, options?: ErrorOptions) {
    super('job-failed', message, options);
    this.jobId = jobId;
  }
}

/** A job was cancelled, by `cancel()` here or elsewhere. */
export class JobCancelledError extends SdError {
  readonly jobId: string;

  constructor(jobId: string) {
    super('job-cancelled', `The job ${jobId} was cancelled.`);
    this.jobId = jobId;
  }
}

/**
 * Redis did not answer in time. What was asked may have happened: `enqueue` can be called again with the same `id`, which
 * queues a job once.
 */
export class QueueUnreachableError extends SdError {
  constructor(what: string, options?: ErrorOptions) {
    super(
      'queue-unreachable',
      `${what}: Redis did not answer. Check the connection, and that the server is up.`,
      options,
    );
  }
}

/** The error that a job's failure on a worker is to its caller: one of the caller's own options keeps its class. */
export function jobError(jobId: string, failure: Failure): SdError {
  const cause = fromFailure(failure);
  if (cause instanceof InvalidOptionError) return cause;
  return new JobFailedError(jobId, `The job ${jobId} failed: ${failure.message}`, { cause });
}
