import { BinaryReader, BinaryWriter, WireType } from '@bufbuild/protobuf/wire';

/** A field of a protobuf message. */
export interface Field {
  readonly number: number;
  /** All its bytes, including tag and length. */
  readonly raw: Uint8Array;
  /** The value of a string, bytes or message. */
  readonly body: Uint8Array | undefined;
  /** The value of an integer. */
  readonly value: number | undefined;
}

/** The fields of a message, in order. Throws a RangeError or a plain Error if it is broken. */
export function* fieldsOf(message: Uint8Array): Generator<Field> {
  const reader = new BinaryReader(message);
  while (reader.pos < reader.len) {
    const start = reader.pos;
    const [number, type] = reader.tag();
    let body: Uint8Array | undefined;
    let value: number | undefined;
    if (type === WireType.LengthDelimited) body = reader.bytes();
    else if (type === WireType.Varint) value = Number(reader.int64());
    else reader.skip(type, number);
    yield { number, body, value, raw: message.subarray(start, reader.pos) };
  }
}

/** The string in the last field of that number; empty if there is none. */
export function textField(message: Uint8Array, number: number): string {
  let text = '';
  for (const field of fieldsOf(message)) if (field.number === number) text = textOf(field);
  return text;
}

/** All integers in the fields of that number, single or packed. */
export function integersIn(fields: Iterable<Field>, number: number): number[] {
  const values: number[] = [];
  for (const field of fields) {
    if (field.number !== number) continue;
    if (field.value !== undefined) values.push(field.value);
    if (field.body === undefined) continue;
    const reader = new BinaryReader(field.body);
    while (reader.pos < reader.len) values.push(Number(reader.int64()));
  }
  return values;
}

export function textOf({ body }: Field): string {
  return new TextDecoder().decode(body);
}

/** Encodes a field with bytes (or a message), a string or an integer. */
export function encodedField(number: number, body: Uint8Array | string | number): Uint8Array {
  const writer = new BinaryWriter();
  if (typeof body === 'number') return writer.tag(number, WireType.Varint).int64(body).finish();
  writer.tag(number, WireType.LengthDelimited);
  return (typeof body === 'string' ? writer.string(body) : writer.bytes(body)).finish();
}

export function joined(pieces: readonly Uint8Array[]): Uint8Array {
  const result = new Uint8Array(pieces.reduce((sum, { length }) => sum + length, 0));
  let at = 0;
  for (const piece of pieces) {
    result.set(piece, at);
    at += piece.length;
  }
  return result;
}
