import { encodedField, fieldsOf, joined, textField, textOf } from './wire.js';

/** The messages of ONNX's format that tensors or operators may lie in, however deep. */
export type MessageKind = 'function' | 'graph' | 'node' | 'attribute' | 'tensor';

/** By their field numbers in the message around them. */
const inside: Readonly<Record<MessageKind, Readonly<Record<number, MessageKind>>>> = {
  function: { 7: 'node' },
  graph: { 1: 'node', 5: 'tensor' },
  node: { 5: 'attribute' },
  attribute: { 5: 'tensor', 6: 'graph', 10: 'tensor', 11: 'graph' },
  tensor: {},
};

/** Graphs in graphs, as branches and loops have them, are no deeper than this in any model of ours. */
const deepest = 32;

const opType = 4;
const domain = 7;
const externalData = 13;

export interface Seen {
  operator(name: string): void;
  /** Where a tensor's values lie, if not in the message. */
  location(location: string): void;
}

/** Reports all operators and locations in a message. */
export function look(kind: MessageKind, message: Uint8Array, seen: Seen, depth = 0): void {
  if (depth > deepest) throw new RangeError('its graphs lie too deep in one another');
  if (kind === 'node') seen.operator(operatorOf(message));
  for (const field of fieldsOf(message)) {
    const inner = inside[kind][field.number];
    if (field.body === undefined) continue;
    if (inner !== undefined) look(inner, field.body, seen, depth + 1);
    else if (kind === 'tensor' && field.number === externalData && isLocation(field.body))
      seen.location(textField(field.body, 2));
  }
}

/** An operator's name, behind the name of its domain if that is not ONNX's own: `com.microsoft.GroupNorm`. */
export function operatorOf(node: Uint8Array): string {
  let name = '';
  let from = '';
  for (const field of fieldsOf(node)) {
    if (field.number === opType) name = textOf(field);
    if (field.number === domain) from = textOf(field);
  }
  return from === '' || from === 'ai.onnx' ? name : `${from}.${name}`;
}

/** The message with other locations; itself where there are none in it. */
export function relocated(kind: MessageKind, message: Uint8Array, locations: ReadonlyMap<string, string>): Uint8Array {
  const pieces: Uint8Array[] = [];
  let changed = false;
  for (const { number, body, raw } of fieldsOf(message)) {
    const inner = inside[kind][number];
    let piece = raw;
    if (inner !== undefined && body !== undefined) {
      const next = relocated(inner, body, locations);
      if (next !== body) piece = encodedField(number, next);
    } else if (kind === 'tensor' && number === externalData && body !== undefined && isLocation(body)) {
      const location = textField(body, 2);
      piece = encodedField(number, entry('location', locations.get(location) ?? location));
    }
    changed ||= piece !== raw;
    pieces.push(piece);
  }
  return changed ? joined(pieces) : message;
}

/** The fields of a tensor that say where its values lie. */
export function externalFields(location: string, offset: number, length: number): Uint8Array[] {
  const entries = [entry('location', location), entry('offset', String(offset)), entry('length', String(length))];
  return [...entries.map((one) => encodedField(externalData, one)), encodedField(14, 1)];
}

function entry(key: string, value: string): Uint8Array {
  return joined([encodedField(1, key), encodedField(2, value)]);
}

function isLocation(message: Uint8Array): boolean {
  return textField(message, 1) === 'location';
}
