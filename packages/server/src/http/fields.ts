import { show } from '@sd/core';
import { invalidField } from './http-error.js';

/** Reads the value of a field; in a form, numbers and flags are text. */
export type FieldReader<T> = (name: string, value: unknown) => T;

export type FieldTable = Readonly<Record<string, FieldReader<unknown>>>;

/** The values of a request by the names of its fields. */
export type FieldValues<Table extends FieldTable> = {
  readonly [Name in keyof Table]?: ReturnType<Table[Name]> | undefined;
};

/** Reads the fields of a table. Null is a field that is not given. Throws an HttpError for a value that a field cannot have. */
export function readFields<Table extends FieldTable>(
  values: Readonly<Record<string, unknown>>,
  table: Table,
): FieldValues<Table> {
  const entries = Object.entries(table).flatMap(([name, read]) => {
    const value = Object.hasOwn(values, name) ? values[name] : undefined;
    return value === undefined || value === null ? [] : [[name, read(name, value)] as const];
  });
  return Object.fromEntries(entries) as FieldValues<Table>;
}

export const text: FieldReader<string> = (name, value) => {
  if (typeof value === 'string') return value;
  throw invalidField(name, `must be a string, not ${show(value)}.`);
};

export const flag: FieldReader<boolean> = (name, value) => {
  if (typeof value === 'boolean') return value;
  if (value === 'true' || value === 'false') return value === 'true';
  throw invalidField(name, `must be true or false, not ${show(value)}.`);
};

/** A number in a range. */
export function numberIn(min: number, max: number): FieldReader<number> {
  return (name, value) => {
    const number = typeof value === 'string' && value.trim() !== '' ? Number(value) : value;
    if (typeof number === 'number' && number >= min && number <= max) return number;
    throw invalidField(name, `must be a number${range(min, max)}, not ${show(value)}.`);
  };
}

/** A whole number in a range. */
export function wholeIn(min: number, max: number): FieldReader<number> {
  const read = numberIn(min, max);
  return (name, value) => {
    const number = read(name, value);
    if (Number.isSafeInteger(number)) return number;
    throw invalidField(name, `must be a whole number${range(min, max)}, not ${show(value)}.`);
  };
}

export function oneOf<const Word extends string>(...words: readonly Word[]): FieldReader<Word> {
  return (name, value) => {
    const found = words.find((word) => word === value);
    if (found !== undefined) return found;
    throw invalidField(name, `must be one of ${words.join(', ')}, not ${show(value)}.`);
  };
}

export const object: FieldReader<Readonly<Record<string, unknown>>> = (name, value) => {
  if (typeof value === 'object' && value !== null && !Array.isArray(value)) return { ...value };
  throw invalidField(name, `must be an object, not ${show(value)}.`);
};

export function listOf<T>(read: FieldReader<T>): FieldReader<readonly T[]> {
  return (name, value) => {
    if (Array.isArray(value)) return value.map((item, i) => read(`${name}[${i}]`, item));
    throw invalidField(name, `must be a list, not ${show(value)}.`);
  };
}

function range(min: number, max: number): string {
  if (Number.isFinite(min) && Number.isFinite(max)) return ` from ${min} to ${max}`;
  return Number.isFinite(min) ? ` of at least ${min}` : '';
}
