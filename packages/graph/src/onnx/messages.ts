import { BinaryWriter, WireType } from '@bufbuild/protobuf/wire';

/** ONNX's numbers for element types. */
export const elementType = { float32: 1, float16: 10, float64: 11, int32: 6, int64: 7, bfloat16: 16 } as const;

export type Attribute = number | bigint | string | readonly bigint[];

export interface NodeMessage {
  readonly name: string;
  readonly opType: string;
  readonly input: readonly string[];
  readonly output: readonly string[];
  readonly attributes: Readonly<Record<string, Attribute>>;
  readonly domain: string;
}

export interface TensorMessage {
  readonly name: string;
  readonly dims: readonly number[];
  readonly type: keyof typeof elementType;
  /** Its values, or where they are stored. */
  readonly values: Uint8Array | { readonly location: string; readonly offset: number; readonly length: number };
}

export interface ValueMessage {
  readonly name: string;
  readonly type: keyof typeof elementType;
  readonly dims: readonly (number | string)[];
}

export interface GraphMessage {
  readonly name: string;
  readonly nodes: readonly NodeMessage[];
  readonly initializers: readonly TensorMessage[];
  readonly inputs: readonly ValueMessage[];
  readonly outputs: readonly ValueMessage[];
  readonly shapes: readonly ValueMessage[];
}

/** Operator sets: ONNX's own, and ONNX Runtime's `com.microsoft`. */
const operatorSets = [
  { domain: '', version: 20 },
  { domain: 'com.microsoft', version: 1 },
];
const irVersion = 9;

/**
 * A serialized ModelProto (ONNX IR version 9), with only the fields that these graphs use. Protobuf's default values are
 * left out.
 * @see https://github.com/onnx/onnx/blob/main/onnx/onnx.proto; test/onnx/onnx.proto has the same subset
 */
export function modelBytes(graph: GraphMessage): Uint8Array {
  const w = new BinaryWriter();
  w.tag(1, WireType.Varint).int64(irVersion);
  string(w, 2, '@sd/graph');
  message(w, 7, () => {
    for (const node of graph.nodes) message(w, 1, () => writeNode(w, node));
    string(w, 2, graph.name);
    for (const tensor of graph.initializers) message(w, 5, () => writeTensor(w, tensor));
    for (const value of graph.inputs) message(w, 11, () => writeValue(w, value));
    for (const value of graph.outputs) message(w, 12, () => writeValue(w, value));
    for (const value of graph.shapes) message(w, 13, () => writeValue(w, value));
  });
  for (const { domain, version } of operatorSets) {
    message(w, 8, () => {
      string(w, 1, domain);
      w.tag(2, WireType.Varint).int64(version);
    });
  }
  return w.finish();
}

function writeNode(w: BinaryWriter, { name, opType, input, output, attributes, domain }: NodeMessage): void {
  for (const value of input) w.tag(1, WireType.LengthDelimited).string(value);
  for (const value of output) w.tag(2, WireType.LengthDelimited).string(value);
  string(w, 3, name);
  string(w, 4, opType);
  for (const [key, value] of Object.entries(attributes)) message(w, 5, () => writeAttribute(w, key, value));
  string(w, 7, domain);
}

/** ONNX's numbers for attribute types: float, integer, string, integers. */
const attributeTypes = { f: 1, i: 2, s: 3, ints: 7 };

function writeAttribute(w: BinaryWriter, name: string, value: Attribute): void {
  string(w, 1, name);
  const type = (number: number) => w.tag(20, WireType.Varint).int32(number);
  if (typeof value === 'number') {
    w.tag(2, WireType.Bit32).float(value);
    type(attributeTypes.f);
  } else if (typeof value === 'bigint') {
    w.tag(3, WireType.Varint).int64(value);
    type(attributeTypes.i);
  } else if (typeof value === 'string') {
    w.tag(4, WireType.LengthDelimited).string(value);
    type(attributeTypes.s);
  } else {
    packed(w, 8, value);
    type(attributeTypes.ints);
  }
}

function writeTensor(w: BinaryWriter, { name, dims, type, values }: TensorMessage): void {
  packed(w, 1, dims);
  w.tag(2, WireType.Varint).int32(elementType[type]);
  string(w, 8, name);
  if (values instanceof Uint8Array) {
    w.tag(9, WireType.LengthDelimited).bytes(values);
    return;
  }
  for (const [key, value] of Object.entries(values)) {
    message(w, 13, () => {
      string(w, 1, key);
      string(w, 2, String(value));
    });
  }
  // data_location: EXTERNAL
  w.tag(14, WireType.Varint).int32(1);
}

function writeValue(w: BinaryWriter, { name, type, dims }: ValueMessage): void {
  string(w, 1, name);
  const shape = () => {
    for (const dim of dims) {
      message(w, 1, () => {
        if (typeof dim === 'number') w.tag(1, WireType.Varint).int64(dim);
        else w.tag(2, WireType.LengthDelimited).string(dim);
      });
    }
  };
  message(w, 2, () => {
    message(w, 1, () => {
      w.tag(1, WireType.Varint).int32(elementType[type]);
      message(w, 2, shape);
    });
  });
}

function message(w: BinaryWriter, field: number, write: () => void): void {
  w.tag(field, WireType.LengthDelimited).fork();
  write();
  w.join();
}

function string(w: BinaryWriter, field: number, value: string): void {
  if (value !== '') w.tag(field, WireType.LengthDelimited).string(value);
}

function packed(w: BinaryWriter, field: number, values: readonly (number | bigint)[]): void {
  if (values.length === 0) return;
  w.tag(field, WireType.LengthDelimited).fork();
  for (const value of values) w.int64(value);
  w.join();
}
