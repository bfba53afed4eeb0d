import { InvalidOptionError } from '@sd/core';

/** Advice for options that are functions or objects with functions. */
const alternatives: Readonly<Record<string, string>> = {
  scheduler: 'Give its name, such as euler',
  rng: 'Give its name, such as torch-cpu',
  syntax: 'Give its name, such as a1111',
  guidance: 'Give guidanceScale and guidanceRescale',
  backend: 'Give its settings: { provider, threads, wasmPaths }',
  components: 'Give addresses of their files',
  imageEncoder: 'Give its folder',
};

/**
 * Options in a form that can be sent to a worker: addresses as text, images without their functions. Throws an
 * InvalidOptionError that names an option that is or contains a function.
 */
export function sendable<T extends object>(options: T): T {
  const entries = Object.entries(options).filter(([, value]) => value !== undefined);
  return Object.fromEntries(entries.map(([option, value]) => [option, plain(value, option, option)])) as T;
}

function plain(value: unknown, option: string, path: string): unknown {
  if (typeof value === 'function') throw functionError(option, path);
  if (value instanceof URL) return value.href;
  if (Array.isArray(value)) return value.map((item, i) => plain(item, option, `${path}[${i}]`));
  if (!isPlain(value)) return value;
  if (isImage(value)) return { width: value.width, height: value.height, data: value.data };
  return Object.fromEntries(
    Object.entries(value).map(([name, field]) => [name, plain(field, option, `${path}.${name}`)]),
  );
}

function functionError(option: string, path: string): InvalidOptionError {
  const advice = Object.hasOwn(alternatives, option) ? `${alternatives[option]}, or` : 'Give a value, or';
  return new InvalidOptionError(
    option,
    `${path === option ? 'is' : `has at ${path}`} a function, which cannot be sent to a worker. ${advice} let the worker's script provide it: servePipeline({ load, prepare }).`,
  );
}

function isPlain(value: unknown): value is Readonly<Record<string, unknown>> {
  if (typeof value !== 'object' || value === null) return false;
  const prototype: unknown = Object.getPrototypeOf(value);
  return prototype === Object.prototype || prototype === null;
}

function isImage(value: Readonly<Record<string, unknown>>): boolean {
  return 'width' in value && 'height' in value && ArrayBuffer.isView(value.data);
}
