import { InvalidOptionError } from '../errors.js';
import { show } from '../show.js';

/** Checks an option's value: throws an InvalidOptionError that names the option where the value cannot be. */
export type Check = (option: string, value: unknown) => void;

/** Throws an InvalidOptionError for a value that is given and does not fit. `expected` completes "must be ...". */
export function checkOptional(option: string, value: unknown, fits: boolean, expected: string): void {
  if (value === undefined || fits) return;
  throw new InvalidOptionError(option, `must be ${expected}, not ${describe(value)}.`);
}

/** Throws an InvalidOptionError unless the value is a string. */
export function checkText(option: string, value: unknown): asserts value is string {
  if (typeof value !== 'string') throw new InvalidOptionError(option, `must be a string, not ${describe(value)}.`);
}

/** Throws an InvalidOptionError unless the value is a whole number of at least `least`. */
export function checkWhole(option: string, value: unknown, least: number): asserts value is number {
  if (!Number.isSafeInteger(value) || (value as number) < least) {
    throw new InvalidOptionError(option, `must be a whole number from ${least} up, not ${describe(value)}.`);
  }
}

/** Throws an InvalidOptionError unless the value is a finite number. */
export function checkFinite(option: string, value: unknown): asserts value is number {
  if (!Number.isFinite(value)) {
    throw new InvalidOptionError(option, `must be a finite number, not ${describe(value)}.`);
  }
}

/** Throws an InvalidOptionError unless the value is a number from 0 to 1. */
export function checkFraction(option: string, value: unknown): asserts value is number {
  if (!(typeof value === 'number' && value >= 0 && value <= 1)) {
    throw new InvalidOptionError(option, `must be from 0 to 1, not ${describe(value)}.`);
  }
}

/** Throws an InvalidOptionError unless the value is a whole number, or a bigint. */
export function checkSeed(option: string, value: unknown): asserts value is number | bigint {
  if (typeof value !== 'bigint' && !Number.isSafeInteger(value)) {
    throw new InvalidOptionError(option, `must be a whole number, or a bigint beyond 2^53, not ${describe(value)}.`);
  }
}

/** Throws an InvalidOptionError unless the value is a side in pixels: a multiple of `factor`. */
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

/** An option's value in a message, whatever it is: lists and objects by their type alone. Never throws. */
export function describe(value: unknown): string {
  const text = show(value);
  if (typeof value !== 'object' || value === null) return text;
  return text.startsWith('[') ? 'a list' : text.startsWith('{') ? 'an object' : text;
}
