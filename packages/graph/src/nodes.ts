import type { BackendFeatures, ModelHints } from '@sd/core';
import { type TensorView, transposeView } from '@sd/weights';
import type { GraphInput } from './feeds.js';
import type { Attribute } from './onnx/messages.js';
import { OnnxWriter, onnxType } from './onnx/onnx-writer.js';
import { Shapes, type Size } from './shapes.js';
import type { Dim, FloatType, Value } from './value.js';

/** From this many bytes of 16-bit weights on, memory while loading counts more than the last bit of speed. */
const largeWidening = 2 ** 29;

/** Operators that make of floats what is none. */
const givesNoFloats = new Set(['Equal', 'Less', 'Shape']);

/** What a graph is written for; a Backend is one. */
export interface GraphOptions {
  /** The execution provider: `cpu` by default. */
  readonly provider?: string;
  /** What it can do there. With `float16` the graph computes in half precision; what goes in and out stays float32. */
  readonly features?: BackendFeatures;
}

/**
 * The nodes of a graph being written, and the types of floats between them: what the operations of Graph and the functions
 * of forms/ are made of.
 *
 * A graph in half precision keeps 16-bit weights as they are stored and casts others once. Where float16 meets float32 in
 * an operator, it computes in float16: after the first layer all does, but for sines and for normalizations, whose sums of
 * squares leave the range of float16.
 */
export class Nodes {
  readonly provider: string;
  readonly fusedAttention: boolean;
  /** What layers compute in. */
  readonly float: FloatType;
  readonly writer = new OnnxWriter();
  readonly shapes = new Shapes(this.writer);
  readonly inputs: GraphInput[] = [];
  readonly #precise: string[] = [];
  readonly #casts = new Map<string, Value>();

  constructor({ provider = 'cpu', features: { float16 = false, fusedAttention = true } = {} }: GraphOptions) {
    this.provider = provider;
    this.float = float16 ? 'float16' : 'float32';
    this.fusedAttention = fusedAttention;
  }

  input(input: GraphInput): Value {
    const { name, dims, type } = input;
    this.writer.input(name, type, dims);
    this.inputs.push(input);
    return this.shapes.input({ name, dims, type: type === 'float16' || type === 'float32' ? type : undefined });
  }

  /** What a backend should know of the whole. */
  hints(repeated: boolean): ModelHints {
    const { storedBytes, halfBytes } = this.writer;
    const half = this.float === 'float16';
    return {
      repeated,
      compact: !half && halfBytes >= largeWidening,
      weightBytes: half ? (storedBytes + halfBytes) / 2 : storedBytes + halfBytes,
      precise: this.#precise,
    };
  }

  op(
    opType: string,
    inputs: readonly Value[],
    dims: readonly Dim[],
    attributes: Readonly<Record<string, Attribute>> = {},
    domain = '',
  ): Value {
    const given = this.alike(inputs);
    const [name] = this.writer.node(
      opType,
      given.map((input) => input.name),
      attributes,
      { domain },
    );
    return { name, dims, type: givesNoFloats.has(opType) ? undefined : given.find(({ type }) => type)?.type };
  }

  /** An operation some of whose sizes only the run will tell; its inputs stay of the types that they are. */
  sized(
    opType: string,
    inputs: readonly Value[],
    sizes: readonly Size[],
    attributes?: Readonly<Record<string, Attribute>>,
  ): Value {
    return this.shapes.operation(opType, inputs, sizes, attributes);
  }

  /** A function that shaders may compute too roughly: WGSL allows an error of 2^-11, and there are some of 2e-4. */
  precise(opType: 'Sin' | 'Cos', x: Value): Value {
    const value = this.op(opType, [x], x.dims);
    this.#precise.push(value.name);
    return value;
  }

  constant(values: readonly number[], dims: readonly number[] = [values.length]): Value {
    return { name: this.writer.constant('float32', dims, values), dims, type: 'float32' };
  }

  /** A checkpoint's tensor, as `Graph.weight` has it. */
  weight(view: TensorView, type = this.float): Value {
    const stored = view.transposed === true ? transposeView(view) : view;
    const value = this.cast(this.stored(stored), type);
    return stored === view ? value : this.op('Transpose', [value], view.shape, { perm: [1n, 0n] });
  }

  /** A checkpoint's tensor as it lies there. */
  stored(view: TensorView): Value {
    return { ...this.writer.weight(view), dims: view.shape };
  }

  /** Inputs of one operator in one type of floats, which is float16 if one of them is. */
  alike(inputs: readonly Value[]): readonly Value[] {
    if (!inputs.some(({ type }) => type === 'float16')) return inputs;
    return inputs.map((input) => (input.type === undefined ? input : this.cast(input, 'float16')));
  }

  cast(value: Value, type = this.float): Value {
    if (value.type === type) return value;
    const key = `${value.name} as ${type}`;
    const known = this.#casts.get(key);
    if (known !== undefined) return known;
    const result = { ...this.op('Cast', [value], value.dims, { to: BigInt(onnxType(type)) }), type };
    this.#casts.set(key, result);
    return result;
  }
}
