import type { RawTensorInfo } from '@sd/core';
import { encodedField, type Field, fieldsOf, joined, textOf } from './wire.js';

/** Names of ONNX's element types by number. Those that tensors have are named as in @sd/core. */
const typeNames: Readonly<Record<number, string>> = {
  1: 'float32',
  2: 'uint8',
  3: 'int8',
  6: 'int32',
  7: 'int64',
  8: 'string',
  9: 'bool',
  10: 'float16',
  11: 'float64',
  12: 'uint32',
  13: 'uint64',
  16: 'bfloat16',
};

export function typeName(number: number): string {
  return Object.hasOwn(typeNames, number) ? typeNames[number] : `type ${number}`;
}

const sizes: Readonly<Record<string, number>> = {
  float32: 4,
  uint8: 1,
  int8: 1,
  int32: 4,
  int64: 8,
  bool: 1,
  float16: 2,
  float64: 8,
  uint32: 4,
  uint64: 8,
  bfloat16: 2,
};

/** Bytes of a value of an element type; undefined for one that has no fixed size, or is unknown here. */
export function elementSize(number: number): number | undefined {
  return Object.hasOwn(sizes, typeName(number)) ? sizes[typeName(number)] : undefined;
}

function typeNumber(name: string): number {
  return Number(Object.keys(typeNames).find((number) => typeNames[Number(number)] === name));
}

/** Parses a `ValueInfoProto`, a graph's input or output. A dynamic size without a name is `?`. */
export function readValueInfo(message: Uint8Array): RawTensorInfo {
  let name = '';
  let type = 'not a tensor';
  const dims: (number | string)[] = [];
  for (const field of fieldsOf(message)) {
    if (field.number === 1) name = textOf(field);
    if (field.number !== 2) continue;
    for (const tensor of inner(field, 1)) {
      for (const part of fieldsOf(tensor)) {
        if (part.number === 1) type = typeName(part.value ?? 0);
        if (part.number === 2) for (const dim of inner(part, 1)) dims.push(sizeIn(dim));
      }
    }
  }
  return { name, type, dims };
}

/** A `ValueInfoProto` of any shape. */
export function dynamicValueInfo(name: string, type: string): Uint8Array {
  const tensor = encodedField(1, encodedField(1, typeNumber(type)));
  return joined([encodedField(1, name), encodedField(2, tensor)]);
}

function sizeIn(dim: Uint8Array): number | string {
  let size: number | string = '?';
  for (const field of fieldsOf(dim)) {
    if (field.number === 1) size = field.value ?? 0;
    if (field.number === 2) size = textOf(field) === '' ? '?' : textOf(field);
  }
  return size;
}

function* inner({ body }: Field, number: number): Generator<Uint8Array> {
  if (body === undefined) return;
  for (const field of fieldsOf(body)) if (field.number === number && field.body !== undefined) yield field.body;
}
