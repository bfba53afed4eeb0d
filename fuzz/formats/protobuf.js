import { concat, utf8 } from '../bytes.js';

export function varint(value) {
  const out = [];
  let rest = BigInt.asUintN(64, BigInt(value));
  do {
    const byte = Number(rest & 127n);
    rest >>= 7n;
    out.push(rest > 0n ? byte | 128 : byte);
  } while (rest > 0n);
  return Uint8Array.from(out);
}

export const tag = (field, type) => varint((BigInt(field) << 3n) | BigInt(type));
export const number = (field, value) => concat([tag(field, 0), varint(value)]);
export const bytes = (field, body) => concat([tag(field, 2), varint(body.length), body]);
export const text = (field, value) => bytes(field, utf8(value));
export const message = (field, ...fields) => bytes(field, concat(fields));
const pairs = (field, entries) => entries.map(([key, value]) => message(field, text(1, key), text(2, `${value}`)));

/** An input or output of a graph. */
export function value(field, name, type = 1, dims = [1, 4]) {
  const sizes = dims.map((dim) => message(1, typeof dim === 'string' ? text(2, dim) : number(1, dim)));
  return message(field, text(1, name), message(2, message(1, number(1, type), message(2, ...sizes))));
}

export function tensor(field, { name, type, dims, raw, external }) {
  const data = raw !== undefined ? [bytes(9, raw)] : [...pairs(13, Object.entries(external)), number(14, 1)];
  return message(field, ...dims.map((dim) => number(1, dim)), number(2, type), text(8, name), ...data);
}

export const node = (field, { type, inputs, outputs, domain = '', attributes = [] }) =>
  message(
    field,
    ...inputs.map((input) => text(1, input)),
    ...outputs.map((output) => text(2, output)),
    text(4, type),
    ...attributes,
    ...(domain === '' ? [] : [text(7, domain)]),
  );

export const graphAttribute = (name, graph) => message(5, text(1, name), bytes(6, graph), number(20, 5));
export const tensorAttribute = (name, tensorField) => message(5, text(1, name), tensorField, number(20, 4));
export const intAttribute = (name, int) => message(5, text(1, name), number(3, int), number(20, 2));
export const model = (graphFields, { extra = [], version = 17 } = {}) =>
  concat([number(1, 8), text(2, 'fuzz'), bytes(7, concat(graphFields)), message(8, number(2, version)), ...extra]);
