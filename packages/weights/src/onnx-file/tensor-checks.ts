import { brokenOnnx } from './file-fields.js';
import { externalEntries } from './messages.js';
import { elementSize } from './values.js';
import { type Field, fieldsOf, integersIn, textField } from './wire.js';

/** Limit on the values of one tensor. SDXL's largest has 2^26. */
const mostValues = 2 ** 40;

/** Where the values of an external tensor are. */
export interface ExternalValues {
  readonly location: string;
  readonly end: number;
}

/**
 * Checks that a tensor's shape is possible, and that it has as many values, inside or external. Returns where external
 * values are; undefined for others. Throws a CheckpointError.
 */
export function checkTensor(path: string, tensor: Uint8Array): ExternalValues | undefined {
  const fields = [...fieldsOf(tensor)];
  const dims = integersIn(fields, 1);
  const described = `its tensor ${JSON.stringify(textField(tensor, 8))} of shape [${dims.slice(0, 8).join(', ')}]`;
  const wrong = (problem: string) => brokenOnnx(path, `${described} ${problem}`);
  const count = dims.reduce((product, size) => product * size, 1);
  if (dims.some((size) => size < 0 || size > mostValues) || count > mostValues) throw wrong('is impossible');
  const valueBytes = elementSize(lastOf(fields, 2)?.value ?? 0);
  const expected = valueBytes === undefined ? undefined : count * valueBytes;
  const raw = lastOf(fields, 9)?.body?.length;
  if (raw !== undefined && expected !== undefined && raw !== expected) throw wrong(`has ${raw} bytes, not ${expected}`);
  const entries = externalEntries(tensor);
  if (entries.length === 0) return undefined;
  if (raw !== undefined || new Set(entries.map(([key]) => key)).size < entries.length) {
    throw wrong('states the location of its values twice');
  }
  const { location, offset = '0', length = String(expected) } = Object.fromEntries(entries);
  if (location === undefined || ![offset, length].every((text) => /^\d{1,15}$/.test(text))) {
    throw wrong(`has no values at offset ${JSON.stringify(offset)} of its external data`);
  }
  if (expected !== undefined && Number(length) !== expected) {
    throw wrong(`has ${length} bytes of external data, not ${expected}`);
  }
  return { location, end: Number(offset) + Number(length) };
}

/** Whether a tensor of integers has a value of -1. */
export function hasMinusOne(tensor: Uint8Array): boolean {
  const fields = [...fieldsOf(tensor)];
  const type = lastOf(fields, 2)?.value;
  if (type !== 6 && type !== 7) return false;
  const raw = lastOf(fields, 9)?.body?.slice();
  if (raw === undefined) return [...integersIn(fields, 5), ...integersIn(fields, 7)].includes(-1);
  const size = type === 6 ? 4 : 8;
  return Array.from({ length: Math.floor(raw.length / size) }, (_, i) => raw.subarray(i * size, (i + 1) * size)).some(
    (value) => value.every((byte) => byte === 255),
  );
}

function lastOf(fields: readonly Field[], number: number): Field | undefined {
  return fields.filter((field) => field.number === number).at(-1);
}
