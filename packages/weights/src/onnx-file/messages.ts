import { encodedField, fieldsOf, joined, textField } from './wire.js';

/** The ONNX messages that can contain tensors or operators, at any depth. */
export type MessageKind = 'model' | 'function' | 'graph' | 'node' | 'attribute' | 'tensor';

/**
 * The fields that each message may have: `plain` ones, which have no tensors and no operators inside, and those that are
 * one of these messages. Any other field is refused, since ONNX Runtime would obey it unchecked:
 * sparse tensors can name files too, as can fields of later versions.
 */
const allowed: Readonly<Record<MessageKind, Partial<Readonly<Record<MessageKind | 'plain', readonly number[]>>>>> = {
  model: { plain: [1, 2, 3, 4, 5, 6, 8, 14], graph: [7], function: [25] },
  function: { plain: [1, 4, 5, 6, 8, 9, 10, 12, 13, 14], node: [7], attribute: [11] },
  graph: { plain: [2, 10, 11, 12, 13, 14, 16], node: [1], tensor: [5] },
  node: { plain: [1, 2, 3, 4, 6, 7, 8, 9], attribute: [5] },
  attribute: { plain: [1, 2, 3, 4, 7, 8, 9, 13, 14, 15, 20, 21], tensor: [5, 10], graph: [6, 11] },
  tensor: { plain: [1, 2, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 16] },
};

/** Names of the fields that an exporter could write, for the message of their refusal. */
const refusedNames: Readonly<Record<string, string>> = {
  'model 20': 'training information',
  'model 26': 'a device configuration',
  'node 10': 'a device configuration',
  'graph 15': 'sparse initializers',
  'attribute 22': 'a sparse tensor',
  'attribute 23': 'sparse tensors',
  'tensor 3': 'a segment',
};

/** Limit on nested messages: about eight graphs, the bodies of branches. */
const deepest = 32;

const opType = 4;
const domain = 7;
const externalData = 13;

/** A field that no message may have. */
export class RefusedField extends Error {}

/** The type of message in a field; undefined for a plain field. Throws a RefusedField for one that is not allowed. */
export function messageIn(kind: MessageKind, number: number, isMessage: boolean): MessageKind | undefined {
  for (const [name, numbers] of Object.entries(allowed[kind])) {
    if (!numbers.includes(number)) continue;
    if (name === 'plain') return undefined;
    if (!isMessage) throw new RangeError(`field ${number} of a ${kind} is not a message`);
    return name as MessageKind;
  }
  const what = refusedNames[`${kind} ${number}`] ?? 'a field of a later version';
  throw new RefusedField(`has ${what} (field ${number} of a message of kind ${kind})`);
}

export interface Visitor {
  node(message: Uint8Array): void;
  tensor(message: Uint8Array): void;
}

/** Visits all operators and tensors in a message. Throws a RefusedField for a field that is not allowed. */
export function visit(kind: MessageKind, message: Uint8Array, visitor: Visitor, depth = 0): void {
  if (depth > deepest) throw new RangeError('its graphs are nested too deep');
  if (kind === 'node') visitor.node(message);
  if (kind === 'tensor') visitor.tensor(message);
  for (const field of fieldsOf(message)) {
    const inner = messageIn(kind, field.number, field.body !== undefined);
    if (inner !== undefined) visit(inner, field.body!, visitor, depth + 1);
  }
}

/** An operator's name, prefixed by its domain if that is not ONNX's own: `com.microsoft.GroupNorm`. */
export function operatorOf(node: Uint8Array): string {
  return operatorName(textField(node, opType), textField(node, domain));
}

/** The name under which nodes call a function. */
export function functionName(message: Uint8Array): string {
  return operatorName(textField(message, 1), textField(message, 10));
}

const operatorName = (name: string, prefix: string) =>
  prefix === '' || prefix === 'ai.onnx' ? name : `${prefix}.${name}`;

/** A tensor's entries for external data, such as `location` and `offset`. */
export function externalEntries(tensor: Uint8Array): [key: string, value: string][] {
  const entries: [string, string][] = [];
  for (const { number, body } of fieldsOf(tensor)) {
    if (number === externalData && body !== undefined) entries.push([textField(body, 1), textField(body, 2)]);
  }
  return entries;
}

/** The message with its external locations replaced; the same object if it has none. */
export function relocated(kind: MessageKind, message: Uint8Array, locations: ReadonlyMap<string, string>): Uint8Array {
  const pieces: Uint8Array[] = [];
  let changed = false;
  for (const field of fieldsOf(message)) {
    const { number, body, raw } = field;
    const inner = messageIn(kind, field.number, field.body !== undefined);
    let piece = raw;
    if (inner !== undefined) {
      const next = relocated(inner, body!, locations);
      if (next !== body) piece = encodedField(number, next);
    } else if (kind === 'tensor' && number === externalData && body !== undefined && isLocation(body)) {
      piece = encodedField(number, entry('location', locations.get(textField(body, 2))!));
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
