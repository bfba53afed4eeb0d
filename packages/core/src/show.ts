/** The longest text for a value in a message. */
const longest = 200;
/** Objects and lists nested deeper than this are only named. */
const deepest = 3;

/**
 * Writes a value for a message: data as JSON does, everything else by its type. Never throws and never takes long, whatever
 * the value is: cyclic, a bigint, a symbol, an object without a prototype, a getter that throws. At most 200
 * characters; what is left out is marked by an ellipsis.
 */
export function show(value: unknown): string {
  try {
    return cut(written(value, deepest));
  } catch {
    return 'an object that cannot be read';
  }
}

function written(value: unknown, depth: number): string {
  if (typeof value === 'string') return JSON.stringify(cut(value));
  if (typeof value === 'function') return 'a function';
  if (typeof value !== 'object' || value === null) return String(value);
  if (Array.isArray(value))
    return depth === 0 ? '[…]' : `[${listed(value.length, (i) => written(value[i], depth - 1))}]`;
  const prototype: unknown = Object.getPrototypeOf(value);
  if (prototype !== null && prototype !== Object.prototype) return `an object of type ${typeName(value)}`;
  if (depth === 0) return '{…}';
  const keys = Object.keys(value);
  const entry = (i: number) => `${JSON.stringify(cut(keys[i]))}:${written(Reflect.get(value, keys[i]), depth - 1)}`;
  return `{${listed(keys.length, entry)}}`;
}

/** Items joined by commas, until they are as long as a message may be. */
function listed(count: number, item: (index: number) => string): string {
  let text = '';
  for (let i = 0; i < count; i++) {
    if (text.length > longest) return `${text},…`;
    text += `${i === 0 ? '' : ','}${item(i)}`;
  }
  return text;
}

function typeName(value: object): string {
  const name: unknown = (value as { readonly constructor?: { readonly name?: unknown } | null }).constructor?.name;
  return typeof name === 'string' && name !== '' ? cut(name) : 'unknown';
}

function cut(text: string): string {
  return text.length > longest ? `${text.slice(0, longest - 1)}…` : text;
}

/** The message of any thrown value. */
export function messageOf(thrown: unknown): string {
  try {
    if (thrown instanceof Error) return `${thrown.message}`;
  } catch {
    // A message that cannot be read is shown as any other object.
  }
  return typeof thrown === 'string' ? thrown : show(thrown);
}
