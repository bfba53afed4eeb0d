import type { BackendFeatures, ModelHints } from '@sd/core';
import { type TensorView, transposeView } from '@sd/weights';
import type { GraphInput } from './feeds.js';
import type { Attribute } from './onnx/messages.js';
import { OnnxWriter, onnxType } from './onnx/onnx-writer.js';
import { Shapes, type Size } from './shapes.js';
import type { Dim, FloatType, Value } from './value.js';

/** From this many bytes of 16-bit weights, memory during loading matters more than the last bit of speed. */
const largeWidening = 2 ** 29;

/** Operators with float inputs and a non-float output. */
const nonFloatOutput = new Set(['Equal', 'Less', 'NonZero', 'Shape']);

/** The target that a graph is written for. A Backend is one. */
export interface GraphOptions {
  /** The execution provider; `cpu` by default. */
  readonly provider?: string;
  /** With `float16` the graph computes in half precision; its inputs and outputs stay float32. */
  readonly features?: BackendFeatures;
}

/**
 * The nodes of a graph and the float types between them: the layer below Graph's methods and the functions in forms/.
 *
 * A half-precision graph keeps 16-bit weights as stored and casts others once. An operator whose inputs mix float16 and
 * float32 computes in float16. So after the first layer everything does, except sines, and normalizations, whose sums of
 * squares overflow float16.
 */
export class Nodes {
  readonly provider: string;
  readonly fusedAttention: boolean;
  /** The type that layers compute in. */
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
    return this.shapes.register({ name, dims, type: type === 'float16' || type === 'float32' ? type : undefined });
  }

  /** Hints for the backend about the graph so far. */
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
    const operands = this.promoted(inputs);
    const [name] = this.writer.node(
      opType,
      operands.map((operand) => operand.name),
      attributes,
      { domain },
    );
    return { name, dims, type: nonFloatOutput.has(opType) ? undefined : operands.find(({ type }) => type)?.type };
  }

  /** An operator whose output has sizes known only at run time (undefined). Its inputs are not cast. */
  sized(
    opType: string,
    inputs: readonly Value[],
    sizes: readonly Size[],
    attributes?: Readonly<Record<string, Attribute>>,
  ): Value {
    return this.shapes.operation(opType, inputs, sizes, attributes);
  }

  /** A function that must not run in a shader: WGSL allows an error of 2^-11, and some devices reach 2e-4. */
  precise(opType: 'Sin' | 'Cos', x: Value): Value {
    const value = this.op(opType, [x], x.dims);
    this.#precise.push(value.name);
    return value;
  }

  constant(values: readonly number[], dims: readonly number[] = [values.length]): Value {
    return { name: this.writer.constant('float32', dims, values), dims, type: 'float32' };
  }

  /** See `Graph.weight`. */
  weight(view: TensorView, type = this.float): Value {
    const stored = view.transposed === true ? transposeView(view) : view;
    const value = this.cast(this.stored(stored), type);
    return stored === view ? value : this.op('Transpose', [value], view.shape, { perm: [1n, 0n] });
  }

  /** A checkpoint's tensor in its stored type, or in float32 if it is a sum. */
  stored(view: TensorView): Value {
    const { plus, shape } = view;
    const value = { ...this.writer.weight(view), dims: shape };
    if (plus === undefined) return value;
    const parts = [value, this.stored({ ...plus, shape })].map((part) => this.cast(part, 'float32'));
    return { ...this.op('Add', parts, shape), type: 'float32' };
  }

  /** The inputs of one operator cast to one float type: float16 if any of them is float16. */
  promoted(inputs: readonly Value[]): readonly Value[] {
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
