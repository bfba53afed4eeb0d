import { CheckpointError, lazyImport, readerBarrier, readText, type Source, show, UnsupportedError } from '@sd/core';

/** The smallest and the largest value that a number may have, both included. */
export interface NumberRange {
  readonly least?: number;
  readonly most?: number;
}

/** More than any count in a config of a supported model: words of a vocabulary, channels, positions. */
const mostThings = 2 ** 20;

/** More than the levels or blocks of any model. */
const longestList = 64;

/** A model's config.json with checked access: a missing or wrong value is a CheckpointError that names the file and the key. */
export class Config {
  readonly file: string;
  readonly #values: Readonly<Record<string, unknown>>;

  constructor(file: string, values: Readonly<Record<string, unknown>>) {
    this.file = file;
    this.#values = values;
  }

  /** A value, unchecked; null counts as missing. */
  get(key: string): unknown {
    return this.#values[key] ?? undefined;
  }

  entries(): [string, unknown][] {
    return Object.entries(this.#values);
  }

  number(key: string, fallback?: number, range: NumberRange = {}): number {
    const value = this.#checked(
      key,
      fallback,
      'a number',
      (value) => typeof value === 'number' && Number.isFinite(value),
    );
    return this.#within(key, value, range);
  }

  /**
   * A whole number of things, such as channels or layers, which sizes what is built from it: from 1 to 2^20, or within
   * other bounds.
   */
  count(key: string, fallback?: number, range: NumberRange = {}): number {
    return this.#wholeNumber(key, this.number(key, fallback), range);
  }

  /** A list of such numbers, of at most 64. */
  counts(key: string, fallback?: readonly number[], range: NumberRange = {}): readonly number[] {
    const values = this.numbers(key, fallback);
    if (values.length > longestList) throw this.#wrong(key, `has ${values.length} values, more than ${longestList}`);
    return values.map((value) => this.#wholeNumber(key, value, range));
  }

  boolean(key: string, fallback?: boolean): boolean {
    return this.#checked(key, fallback, 'true or false', (value) => typeof value === 'boolean');
  }

  string(key: string, fallback?: string): string {
    return this.#checked(key, fallback, 'a string', (value) => typeof value === 'string');
  }

  strings(key: string, fallback?: readonly string[]): readonly string[] {
    return this.#checked(key, fallback, 'a list of strings', (value) => isListOf(value, 'string'));
  }

  numbers(key: string, fallback?: readonly number[]): readonly number[] {
    return this.#checked(key, fallback, 'a list of numbers', (value) => isListOf(value, 'number'));
  }

  /** One number for each of `count` blocks, from a list of that length or a single number for all. */
  perBlock(key: string, count: number, fallback?: number, range: NumberRange = {}): readonly number[] {
    const value = this.get(key) ?? fallback;
    if (typeof value === 'number') return new Array<number>(count).fill(this.#within(key, value, range));
    const list = this.numbers(key).map((each) => this.#within(key, each, range));
    if (list.length !== count) throw this.#wrong(key, `has ${list.length} values for ${count} blocks`);
    return list;
  }

  /** One such number for each of `count` blocks, as `perBlock`. */
  countPerBlock(key: string, count: number, fallback?: number, range: NumberRange = {}): readonly number[] {
    return this.perBlock(key, count, fallback).map((value) => this.#wholeNumber(key, value, range));
  }

  /** Throws a CheckpointError unless the parts, such as heads or groups, divide a width evenly. */
  expectDivides(key: string, parts: number, width: number): void {
    if (width % parts !== 0) throw this.#wrong(key, `is ${parts}, which does not divide ${width} channels evenly`);
  }

  /** Throws an UnsupportedError that names file, key and value unless the value is missing or one of `supported`. */
  only(key: string, ...supported: readonly unknown[]): void {
    const value = this.get(key);
    const [actual, ...allowed] = [value, ...supported].map((item) => show(item));
    if (value === undefined || allowed.includes(actual)) return;
    throw new UnsupportedError(`${this.file}: ${key} is ${actual}; this version supports ${allowed.join(', ')}.`);
  }

  #checked<T>(key: string, fallback: T | undefined, what: string, test: (value: unknown) => boolean): T {
    const value = this.get(key) ?? fallback;
    if (value === undefined) throw this.#wrong(key, 'is missing');
    if (!test(value)) throw this.#wrong(key, `is ${show(value)}, not ${what}`);
    return value as T;
  }

  #wholeNumber(key: string, value: number, { least = 1, most = mostThings }: NumberRange): number {
    if (!Number.isSafeInteger(value)) throw this.#wrong(key, `is ${value}, not a whole number`);
    return this.#within(key, value, { least, most });
  }

  #within(key: string, value: number, { least = -Infinity, most = Infinity }: NumberRange): number {
    if (value >= least && value <= most) return value;
    throw this.#wrong(key, `is ${value}, not a number from ${least} to ${most}`);
  }

  #wrong(key: string, problem: string): CheckpointError {
    return new CheckpointError('bad-config', this.file, `${key} ${problem}.`);
  }
}

/** Reads a config file. Throws a SourceError if it is missing, and a CheckpointError if it is not a JSON object. */
export function readConfig(source: Source, path: string): Promise<Config> {
  return readerBarrier('readConfig()', source, (source) => read(source, path));
}

async function read(source: Source, path: string): Promise<Config> {
  const bytes = await readText(source, path);
  let value: unknown;
  try {
    value = JSON.parse(new TextDecoder().decode(bytes));
  } catch (cause) {
    throw new CheckpointError('bad-config', path, await notJson(bytes), { cause });
  }
  if (typeof value !== 'object' || value === null || Array.isArray(value)) {
    throw new CheckpointError('bad-config', path, 'is not a JSON object.');
  }
  return new Config(path, value as Record<string, unknown>);
}

/** The error for a file that is not JSON; it says what the file is if that is known, such as a web page. */
export async function notJson(bytes: Uint8Array): Promise<string> {
  const start = bytes.subarray(0, 512);
  const { describeForeign } = await lazyImport(() => import('./foreign-file.js'));
  const problem = describeForeign('', start);
  // Broken JSON, and other text.
  return problem === undefined || /^is (JSON|text|the (index|config))/.test(problem)
    ? 'is not JSON.'
    : `is not JSON: it ${problem}`;
}

function isListOf(value: unknown, type: 'string' | 'number'): boolean {
  return Array.isArray(value) && value.length > 0 && value.every((item) => typeof item === type);
}
