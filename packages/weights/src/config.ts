import { CheckpointError, type Source, UnsupportedError } from '@sd/core';

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

  /** One number for each of `count` blocks, from a list of that length or a single number for all. */
  perBlock(key: string, count: number, fallback?: number): readonly number[] {
    const value = this.get(key) ?? fallback;
    if (typeof value === 'number') return new Array<number>(count).fill(value);
    const list = this.numbers(key);
    if (list.length !== count) throw this.#wrong(key, `has ${list.length} values for ${count} blocks`);
    return list;
  }

  /** Throws an UnsupportedError that names file, key and value unless the value is missing or one of `supported`. */
  only(key: string, ...supported: readonly unknown[]): void {
    const value = this.get(key);
    const [actual, ...allowed] = [value, ...supported].map((item) => JSON.stringify(item));
    if (value === undefined || allowed.includes(actual)) return;
    throw new UnsupportedError(`${this.file}: ${key} is ${actual}; this version supports ${allowed.join(', ')}.`);
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

/** Reads a config file. Throws a SourceError if it is missing, and a CheckpointError if it is not a JSON object. */
export async function readConfig(source: Source, path: string): Promise<Config> {
  const bytes = await source.read(path);
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

/** Says that a file is not JSON, and what it is if that is known, such as a web page in place of a download. */
export async function notJson(bytes: Uint8Array): Promise<string> {
  const start = bytes.subarray(0, 512);
  const { describeForeign } = await import('./foreign-file.js');
  const problem = describeForeign('', start);
  // Broken JSON, and other text.
  return problem === undefined || /^is (JSON|text|the (index|config))/.test(problem)
    ? 'is not JSON.'
    : `is not JSON: it ${problem}`;
}

function isListOf(value: unknown, type: 'string' | 'number'): boolean {
  return Array.isArray(value) && value.length > 0 && value.every((item) => typeof item === type);
}
