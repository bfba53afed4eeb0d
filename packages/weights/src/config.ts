import { CheckpointError, type Source, UnsupportedError } from '@sd/core';

/** A model's config.json, read with checks: a missing or wrong value is an error that names the file and the key. */
export class Config {
  readonly file: string;
  readonly #values: Readonly<Record<string, unknown>>;

  constructor(file: string, values: Readonly<Record<string, unknown>>) {
    this.file = file;
    this.#values = values;
  }

  /** A value as it stands; null counts as missing. */
  get(key: string): unknown {
    return this.#values[key] ?? undefined;
  }

  entries(): [string, unknown][] {
    return Object.entries(this.#values);
  }

  number(key: string, fallback?: number): number {
    return this.#checked(key, fallback, 'a number', (value) => typeof value === 'number' && Number.isFinite(value));
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

  /** A number for each of `count` blocks: a list of as many, or one number for all. */
  perBlock(key: string, count: number, fallback?: number): readonly number[] {
    const value = this.get(key) ?? fallback;
    if (typeof value === 'number') return new Array<number>(count).fill(value);
    const list = this.numbers(key);
    if (list.length !== count) throw this.#wrong(key, `has ${list.length} values for ${count} blocks`);
    return list;
  }

  /** Throws an UnsupportedError, naming file, key and value, unless the value is one of these; missing is the first. */
  only(key: string, ...supported: readonly unknown[]): void {
    const value = this.get(key);
    if (value === undefined || supported.some((one) => JSON.stringify(one) === JSON.stringify(value))) return;
    throw new UnsupportedError(
      `${this.file}: ${key} is ${JSON.stringify(value)}; this version knows ${supported.map((one) => JSON.stringify(one)).join(', ')}.`,
    );
  }

  #checked<T>(key: string, fallback: T | undefined, what: string, test: (value: unknown) => boolean): T {
    const value = this.get(key) ?? fallback;
    if (value === undefined) throw this.#wrong(key, 'is missing');
    if (!test(value)) throw this.#wrong(key, `is ${JSON.stringify(value)}, not ${what}`);
    return value as T;
  }

  #wrong(key: string, problem: string): CheckpointError {
    return new CheckpointError('bad-config', this.file, `${key} ${problem}.`);
  }
}

/** Reads a JSON file of a source. Throws a SourceError where it is missing, a CheckpointError where it is no JSON object. */
export async function readConfig(source: Source, path: string): Promise<Config> {
  const bytes = await source.read(path);
  let value: unknown;
  try {
    value = JSON.parse(new TextDecoder().decode(bytes));
  } catch (cause) {
    throw new CheckpointError('bad-config', path, 'is not JSON.', { cause });
  }
  if (typeof value !== 'object' || value === null || Array.isArray(value)) {
    throw new CheckpointError('bad-config', path, 'is not a JSON object.');
  }
  return new Config(path, value as Record<string, unknown>);
}

function isListOf(value: unknown, type: 'string' | 'number'): boolean {
  return Array.isArray(value) && value.length > 0 && value.every((item) => typeof item === type);
}
