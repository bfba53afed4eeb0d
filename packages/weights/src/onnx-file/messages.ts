import { encodedField, fieldsOf, joined, textField, textOf } from './wire.js';

/** The ONNX messages that can contain tensors or operators, at any depth. */
export type MessageKind = 'function' | 'graph' | 'node' | 'attribute' | 'tensor';

/** For each message, the field numbers of the messages inside it. */
const children: Readonly<Record<MessageKind, Readonly<Record<number, MessageKind>>>> = {
  function: { 7: 'node' },
  graph: { 1: 'node', 5: 'tensor' },
  node: { 5: 'attribute' },
  attribute: { 5: 'tensor', 6: 'graph', 10: 'tensor', 11: 'graph' },
  tensor: {},
};

/** Limit on nested graphs (the bodies of branches and loops). */
const deepest = 32;

const opType = 4;
const domain = 7;
const externalData = 13;

export interface Visitor {
  operator(name: string): void;
  /** Called with the file that an external tensor's values are in. */
  location(location: string): void;
}

/** Visits all operators and external locations in a message. */
export function visit(kind: MessageKind, message: Uint8Array, visitor: Visitor, depth = 0): void {
  if (depth > deepest) throw new RangeError('its graphs are nested too deep');
  if (kind === 'node') visitor.operator(operatorOf(message));
  for (const field of fieldsOf(message)) {
    const inner = children[kind][field.number];
    if (field.body === undefined) continue;
    if (inner !== undefined) visit(inner, field.body, visitor, depth + 1);
    else if (kind === 'tensor' && field.number === externalData && isLocation(field.body))
      visitor.location(textField(field.body, 2));
  }
}

/** An operator's name, prefixed by its domain if that is not ONNX's own: `com.microsoft.GroupNorm`. */
export function operatorOf(node: Uint8Array): string {
  let name = '';
  let prefix = '';
  for (const field of fieldsOf(node)) {
    if (field.number === opType) name = textOf(field);
    if (field.number === domain) prefix = textOf(field);
  }
  return prefix === '' || prefix === 'ai.onnx' ? name : `${prefix}.${name}`;
}

/** The message with its external locations replaced; the same object if it has none. */
export function relocated(kind: MessageKind, message: Uint8Array, locations: ReadonlyMap<string, string>): Uint8Array {
  const pieces: Uint8Array[] = [];
  let changed = false;
  for (const { number, body, raw } of fieldsOf(message)) {
    const inner = children[kind][number];
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

/** The fields of a tensor whose values are external data. */
export function externalFields(location: string, offset: number, length: number): Uint8Array[] {
  const entries = [entry('location', location), entry('offset', String(offset)), entry('length', String(length))];
  return [...entries.map((encoded) => encodedField(externalData, encoded)), encodedField(14, 1)];
}

function entry(key: string, value: string): Uint8Array {
  return joined([encodedField(1, key), encodedField(2, value)]);
}

function isLocation(message: Uint8Array): boolean {
  return textField(message, 1) === 'location';
}
