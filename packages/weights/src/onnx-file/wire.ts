import { BinaryReader, BinaryWriter, WireType } from '@bufbuild/protobuf/wire';

/** A field of a protobuf message: its number, all of its bytes, and what it holds. */
export interface Field {
  readonly number: number;
  /** With its tag and length. */
  readonly raw: Uint8Array;
  /** Of a text, bytes or a message. */
  readonly body: Uint8Array | undefined;
  /** Of a whole number. */
  readonly value: number | undefined;
}

/** The fields of a message, in their order. Throws a RangeError or an Error where it is broken. */
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

/** The text of a field of a message, the last one of that number; empty where there is none. */
export function textField(message: Uint8Array, number: number): string {
  let text = '';
  for (const field of fieldsOf(message)) if (field.number === number) text = textOf(field);
  return text;
}

export function textOf({ body }: Field): string {
  return new TextDecoder().decode(body);
}

/** A field that holds bytes, a text or a message, as its bytes. */
export function encodedField(number: number, body: Uint8Array | string | number): Uint8Array {
  const writer = new BinaryWriter();
  if (typeof body === 'number') return writer.tag(number, WireType.Varint).int64(body).finish();
  writer.tag(number, WireType.LengthDelimited);
  return (typeof body === 'string' ? writer.string(body) : writer.bytes(body)).finish();
}

export function joined(pieces: readonly Uint8Array[]): Uint8Array {
  const whole = new Uint8Array(pieces.reduce((sum, { length }) => sum + length, 0));
  let at = 0;
  for (const piece of pieces) {
    whole.set(piece, at);
    at += piece.length;
  }
  return whole;
}
