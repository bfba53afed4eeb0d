/** The subset of ONNX's protobuf messages that these tests need: fields by number. */
type Field = readonly [number: number, value: number | string | Uint8Array];

function varint(value: number): number[] {
  const bytes: number[] = [];
  for (; value > 127; value = Math.floor(value / 128)) bytes.push((value % 128) | 128);
  return [...bytes, value];
}

function message(...fields: Field[]): Uint8Array {
  return Uint8Array.from(
    fields.flatMap(([number, value]) => {
      if (typeof value === 'number') return [...varint(number * 8), ...varint(value)];
      const bytes = typeof value === 'string' ? new TextEncoder().encode(value) : value;
      return [...varint(number * 8 + 2), ...varint(bytes.length), ...bytes];
    }),
  );
}

const types = { float32: 1, int64: 7, bool: 9 };

function value(name: string, type: keyof typeof types, dims: (number | string)[]): Uint8Array {
  const shape = message(...dims.map((dim): Field => [1, message([typeof dim === 'number' ? 1 : 2, dim])]));
  return message([1, name], [2, message([1, message([1, types[type]], [2, shape])])]);
}

const node = (op: string, inputs: string[], outputs: string[], ...attributes: Field[]) =>
  message(...inputs.map((i): Field => [1, i]), ...outputs.map((o): Field => [2, o]), [4, op], ...attributes);

const graph = (nodes: Uint8Array[], inputs: Uint8Array[], outputs: Uint8Array[], ...initializers: Field[]) =>
  message(
    ...nodes.map((n): Field => [1, n]),
    [2, 'graph'],
    ...initializers,
    ...inputs.map((i): Field => [11, i]),
    ...outputs.map((o): Field => [12, o]),
  );

const model = (...parts: Parameters<typeof graph>) =>
  message([1, 8], [7, graph(...parts)], [8, message([1, ''], [2, 17])]);

/** x to the power 2^count, a matrix float32 [n, n]. Its duration depends on `count`, int64 []. */
export function slowGraph(): Uint8Array {
  const body = graph(
    [node('Identity', ['go'], ['goOn']), node('MatMul', ['v', 'v'], ['square'])],
    [value('i', 'int64', []), value('go', 'bool', []), value('v', 'float32', ['n', 'n'])],
    [value('goOn', 'bool', []), value('square', 'float32', ['n', 'n'])],
  );
  return model(
    [node('Loop', ['count', '', 'x'], ['y'], [5, message([1, 'body'], [6, body], [20, 5])])],
    [value('x', 'float32', ['n', 'n']), value('count', 'int64', [])],
    [value('y', 'float32', ['n', 'n'])],
  );
}

/** Feeds for a run of about 0.2 ms per `count`. */
export const slowFeeds = (count: number) => ({
  x: { type: 'float32' as const, dims: [256, 256], data: new Float32Array(256 * 256) },
  count: { type: 'int64' as const, dims: [], data: BigInt64Array.of(BigInt(count)) },
});

/** y = the sum of weights, float32 [2], each at byte `offset` of the file at `location`. */
export function weightedGraph(weights: { location: string; offset: number }[]): Uint8Array {
  const entry = (key: string, text: string): Field => [13, message([1, key], [2, text])];
  const initializers = weights.map(({ location, offset }, i): Field => {
    const data = [entry('location', location), entry('offset', `${offset}`), entry('length', '8')];
    return [5, message([1, 2], [2, types.float32], [8, `w${i}`], ...data, [14, 1])];
  });
  const sum = node(
    'Sum',
    weights.map((_, i) => `w${i}`),
    ['y'],
  );
  return model([sum], [], [value('y', 'float32', [2])], ...initializers);
}

/** y = not x, of a type that tensors do not have. */
export const boolGraph = () => model([node('Not', ['x'], ['y'])], [value('x', 'bool', [1])], [value('y', 'bool', [1])]);
