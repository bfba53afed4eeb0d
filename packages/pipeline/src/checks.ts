import { InvalidOptionError } from '@sd/core';

/** Throws an InvalidOptionError unless the option's value is a string. */
export function checkText(option: string, value: unknown): asserts value is string {
  if (typeof value !== 'string') throw new InvalidOptionError(option, `must be a string, not ${describe(value)}.`);
}

/** Throws an InvalidOptionError for options that are no object, and for a name that is unknown; undefined counts as left out. */
export function checkNames(call: string, options: object, known: readonly string[], what = 'an object'): void {
  if (typeof options !== 'object' || options === null) {
    throw new InvalidOptionError('options', `must be ${what}, not ${describe(options)}.`);
  }
  for (const [name, value] of Object.entries(options)) {
    if (known.includes(name) || value === undefined) continue;
    throw new InvalidOptionError(name, `is no option of ${call}(). It has ${known.join(', ')}.`);
  }
}

/** Throws an InvalidOptionError for a signal that is given and is none. */
export function checkSignal(signal: unknown): void {
  checkOptional('signal', signal, signal instanceof AbortSignal, 'an AbortSignal');
}

/** Throws an InvalidOptionError for a value that is given and does not fit. */
export function checkOptional(option: string, value: unknown, fits: boolean, what: string): void {
  if (value !== undefined && !fits) throw new InvalidOptionError(option, `must be ${what}, not ${describe(value)}.`);
}

/** Throws an InvalidOptionError unless the value is a whole number from `least` up. */
export function checkWhole(option: string, value: unknown, least: number): asserts value is number {
  if (!Number.isSafeInteger(value) || (value as number) < least) {
    throw new InvalidOptionError(option, `must be a whole number from ${least} up, not ${describe(value)}.`);
  }
}

/** Throws an InvalidOptionError unless the value is a number from 0 to 1. */
export function checkPart(option: string, value: unknown): asserts value is number {
  if (!(typeof value === 'number' && value >= 0 && value <= 1)) {
    throw new InvalidOptionError(option, `must be from 0 to 1, not ${describe(value)}.`);
  }
}

/** Throws an InvalidOptionError unless the value is a multiple of `factor`, in pixels. */
export function checkSide(option: string, value: unknown, factor: number): asserts value is number {
  checkWhole(option, value, factor);
  if (value % factor !== 0) {
    const below = value - (value % factor);
    throw new InvalidOptionError(
      option,
      `must be a multiple of ${factor}, not ${value}: ${below} or ${below + factor} would do.`,
    );
  }
}

/** Throws an InvalidOptionError unless the value is a whole number, or a bigint. */
export function checkSeed(option: string, value: unknown): asserts value is number | bigint {
  if (typeof value !== 'bigint' && !Number.isSafeInteger(value)) {
    throw new InvalidOptionError(option, `must be a whole number, or a bigint beyond 2^53, not ${describe(value)}.`);
  }
}

/** A value in a message. */
export function describe(value: unknown): string {
  return typeof value === 'string' ? JSON.stringify(value) : String(value);
}
