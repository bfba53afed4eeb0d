import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { deflateRawSync, inflateRawSync } from 'node:zlib';

const folder = fileURLToPath(new URL('corpus/', import.meta.url));

/** Values that JSON cannot hold. */
const marks = {
  $bytes: (text) => new Uint8Array(inflateRawSync(Buffer.from(text, 'base64'))),
  $number: Number,
  $undefined: () => undefined,
};

function toJson(value) {
  if (value instanceof Uint8Array) return { $bytes: deflateRawSync(value).toString('base64') };
  if (typeof value === 'number' && (!Number.isFinite(value) || Object.is(value, -0)))
    return { $number: Object.is(value, -0) ? '-0' : `${value}` };
  if (value === undefined) return { $undefined: true };
  if (Array.isArray(value)) return value.map(toJson);
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(Object.entries(value).map(([key, item]) => [key, toJson(item)]));
}

function fromJson(value) {
  if (Array.isArray(value)) return value.map(fromJson);
  if (typeof value !== 'object' || value === null) return value;
  const [[mark, content] = []] = Object.entries(value);
  if (mark !== undefined && Object.hasOwn(marks, mark)) return marks[mark](content);
  return Object.fromEntries(Object.entries(value).map(([key, item]) => [key, fromJson(item)]));
}

/** Keeps an input that failed as a file of the corpus, and returns its name. */
export function keep(target, input, problem) {
  const text = JSON.stringify({ target, problem, input: toJson(input) });
  const name = `${target}-${createHash('sha256').update(text).digest('hex').slice(0, 10)}.json`;
  mkdirSync(folder, { recursive: true });
  writeFileSync(path.join(folder, name), `${text}\n`);
  return name;
}

/** All inputs that ever failed: { name, target, problem, input } each. */
export function corpus() {
  if (!existsSync(folder)) return [];
  const names = readdirSync(folder).filter((name) => name.endsWith('.json'));
  return names.sort().map((name) => {
    const { target, problem, input } = JSON.parse(readFileSync(path.join(folder, name), 'utf8'));
    return { name, target, problem, input: fromJson(input) };
  });
}
