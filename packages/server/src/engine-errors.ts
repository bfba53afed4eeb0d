import { SdError } from '@sd/core';

/** No more jobs can wait. Nothing was started. */
export class BusyError extends SdError {
  /** When to try again. */
  readonly retryAfterSeconds: number;

  constructor(message: string, retryAfterSeconds: number) {
    super('busy', message);
    this.retryAfterSeconds = retryAfterSeconds;
  }
}

/** A job names a model that the engine does not have. */
export class UnknownModelError extends SdError {
  readonly model: string;

  constructor(model: string, known: readonly string[]) {
    const names = known.length === 0 ? 'there are none' : `choose from ${known.slice(0, 20).join(', ')}`;
    super('unknown-model', `There is no model ${JSON.stringify(model)}: ${names}.`);
    this.model = model;
  }
}
