import type { TensorType } from '@sd/core';
import { sliceView, type TensorView } from '@sd/weights';
import type { AdaptedLayer, ConvOptions, LayerAdapter } from './adapter.js';
import type { GraphInput, GraphModel } from './feeds.js';
import { attention, type PreciseAttentionOptions } from './forms/attention.js';
import { convolution, embedding, product } from './forms/layers.js';
import { groupNorm, normalized, rmsNorm, standardized } from './forms/normalization.js';
import { halve, upsample } from './forms/resizing.js';
import { type TimestepEmbeddingOptions, timestepEmbedding } from './forms/timestep-embedding.js';
import { type GraphOptions, Nodes } from './nodes.js';
import type { Attribute } from './onnx/messages.js';
import { onnxType } from './onnx/onnx-writer.js';
import type { Scope } from './scope.js';
import { type Dim, staticDim, type Value } from './value.js';

/**
 * A graph being written: each method adds an operation and gives its result. Shapes are followed along, so that a
 * weight of the wrong shape is named while the graph is written; batch, height and width may be symbols.
 *
 * Operations of more than one node are in `forms/`: in the forms that ONNX Runtime's CPU provider runs fastest, by the
 * measurements in bench/, and in those that other providers need. `Nodes` has the rules of half precision.
 */
export class Graph {
  readonly #nodes: Nodes;
  readonly #adapters: LayerAdapter[] = [];

  constructor(options: GraphOptions = {}) {
    this.#nodes = new Nodes(options);
  }

  get provider(): string {
    return this.#nodes.provider;
  }

  /** What the graph takes so far. */
  get inputs(): readonly GraphInput[] {
    return this.#nodes.inputs;
  }

  input(name: string, dims: readonly Dim[], type: TensorType = 'float32'): Value {
    return this.#nodes.input({ name, dims, type, optional: false });
  }

  /** An input that counts as zeros where it is not fed: see `completeFeeds`. */
  optionalInput(name: string, dims: readonly Dim[], type: TensorType = 'float32'): Value {
    return this.#nodes.input({ name, dims, type, optional: true });
  }

  /** From here on, shows the adapter every linear layer and convolution. Several see them in the order in which they came. */
  adapt(adapter: LayerAdapter): void {
    this.#adapters.push(adapter);
  }

  output(name: string, value: Value): void {
    const { writer } = this.#nodes;
    writer.node('Identity', [this.#nodes.cast(value, 'float32').name], {}, { name });
    writer.output(name, 'float32', value.dims);
  }

  /**
   * The finished graph, for a backend to load.
   * @param repeated Will it run many times in a row?
   */
  finish(name: string, { repeated }: { repeated: boolean }): GraphModel {
    const { writer, inputs } = this.#nodes;
    return { name, ...writer.finish(name), inputs, hints: this.#nodes.hints(repeated) };
  }

  /** Any operator, for what this class has no method for. */
  op(
    opType: string,
    inputs: readonly Value[],
    dims: readonly Dim[],
    attributes?: Readonly<Record<string, Attribute>>,
    domain?: string,
  ): Value {
    return this.#nodes.op(opType, inputs, dims, attributes, domain);
  }

  constant(values: readonly number[], dims?: readonly number[]): Value {
    return this.#nodes.constant(values, dims);
  }

  /** A checkpoint's tensor in the type that layers compute in. One of another type is cast once, when the graph is loaded. */
  weight(view: TensorView): Value {
    return this.#nodes.weight(view);
  }

  /** x in float32 in a graph of half precision too, for what leaves the range of float16. */
  toFloat32(x: Value): Value {
    return this.#nodes.cast(x, 'float32');
  }

  add(a: Value, b: Value): Value {
    return this.op('Add', [a, b], a.dims);
  }

  mul(a: Value, b: Value): Value {
    return this.op('Mul', [a, b], a.dims);
  }

  /** Joins values along an axis whose sizes are known. */
  concat(values: readonly Value[], axis: number): Value {
    const size = values.reduce((sum, value) => sum + staticDim(value, axis), 0);
    return this.op('Concat', values, values[0].dims.with(axis, size), { axis: BigInt(axis) });
  }

  /** x * sigmoid(x): QuickGelu with alpha 1, one node instead of two. */
  silu(x: Value): Value {
    return this.op('QuickGelu', [x], x.dims, { alpha: 1 }, 'com.microsoft');
  }

  relu(x: Value): Value {
    return this.op('Relu', [x], x.dims);
  }

  /** x * sigmoid(1.702 x), as CLIP has it. */
  quickGelu(x: Value): Value {
    return this.op('QuickGelu', [x], x.dims, { alpha: 1.702 }, 'com.microsoft');
  }

  /** The exact GELU, by erf. */
  gelu(x: Value): Value {
    return this.op('Gelu', [x], x.dims, {}, 'com.microsoft');
  }

  /** GELU by its approximation with tanh: arXiv 1606.08415, 2. */
  geluTanh(x: Value): Value {
    return this.op('FastGelu', [x], x.dims, {}, 'com.microsoft');
  }

  /** x [..., in] times a matrix [out, in], plus a bias where the module has one: [..., out]. */
  linear(x: Value, w: Scope, out: number): Value {
    const weight = w.tensor('weight', [out, staticDim(x, -1)]);
    const bias = w.has('bias') ? w.tensor('bias', [out]) : undefined;
    return this.#adapted({ module: w.path, input: x, output: this.product(x, weight, bias), weight, bias });
  }

  /** Several linear layers that one matrix holds one after the other, each reading its rows in place. */
  linearParts(x: Value, w: Scope, outs: readonly number[]): Value[] {
    const total = outs.reduce((sum, out) => sum + out, 0);
    const weight = w.tensor('weight', [total, staticDim(x, -1)]);
    const bias = w.has('bias') ? w.tensor('bias', [total]) : undefined;
    let end = 0;
    return outs.map((out) => {
      const rows = { start: end, end: end + out };
      end = rows.end;
      const part = {
        weight: sliceView(weight, rows.start, rows.end),
        bias: bias && sliceView(bias, rows.start, rows.end),
      };
      const output = this.product(x, part.weight, part.bias);
      return this.#adapted({ module: w.path, input: x, output, rows, ...part });
    });
  }

  /** x [..., in] times a matrix [out, in], plus a bias [out]: [..., out]. No adapter sees it. */
  product(x: Value, weight: TensorView, bias?: TensorView): Value {
    return product(this.#nodes, x, weight, bias);
  }

  /**
   * A square convolution of x [n, in, h, w] to [n, out, h', w'].
   * @param padding Rows and columns added on each side, or [top, left, bottom, right]; by default the size is kept.
   */
  conv(
    x: Value,
    w: Scope,
    out: number,
    {
      kernel = 3,
      stride = 1,
      padding = kernel >> 1,
    }: { kernel?: number; stride?: number; padding?: number | readonly [number, number, number, number] } = {},
  ): Value {
    const weight = w.tensor('weight', [out, staticDim(x, 1), kernel, kernel]);
    const bias = w.has('bias') ? w.tensor('bias', [out]) : undefined;
    const pads = typeof padding === 'number' ? ([padding, padding, padding, padding] as const) : padding;
    const conv = { kernel, stride, padding: pads };
    return this.#adapted({
      module: w.path,
      input: x,
      output: this.convolution(x, conv, weight, bias),
      weight,
      bias,
      conv,
    });
  }

  /** x [n, in, h, w] convolved with [out, in, k, k], plus a bias [out]: [n, out, h', w']. No adapter sees it. */
  convolution(x: Value, options: ConvOptions, weight: TensorView | Value, bias?: TensorView): Value {
    return convolution(this.#nodes, x, options, weight, bias);
  }

  /** Normalizes groups of channels of x [n, c, ...], each picture by itself, then scales and shifts each channel. */
  groupNorm(x: Value, w: Scope, options: { groups: number; epsilon: number }): Value {
    return groupNorm(this.#nodes, x, w, options);
  }

  /** Normalizes the last axis, with neither scale nor shift. */
  standardized(x: Value, epsilon: number): Value {
    return standardized(this.#nodes, x, epsilon);
  }

  /** x [..., size] over the root of its mean square, times a scale [size]: arXiv 1910.07467. */
  rmsNorm(x: Value, w: Scope, epsilon: number): Value {
    return rmsNorm(this.#nodes, x, w.tensor('weight', [staticDim(x, -1)]), epsilon);
  }

  /** Normalizes the last axis. */
  layerNorm(x: Value, w: Scope, epsilon = 1e-5): Value {
    const size = staticDim(x, -1);
    return this.normalized(x, w.tensor('weight', [size]), w.tensor('bias', [size]), epsilon);
  }

  /** Normalizes the last axis of x [..., size], then scales and shifts by [size]. */
  normalized(x: Value, scale: TensorView, shift: TensorView, epsilon = 1e-5): Value {
    return normalized(this.#nodes, x, scale, shift, epsilon);
  }

  /**
   * Multi-head attention of queries [n, s, c] over keys and values [n, l, c], scaled by the root of a head's width if
   * `scale` says nothing else. On the CPU this is the flash form, without `causal` and `bias`: the s x l scores are never whole in memory.
   */
  attention(query: Value, key: Value, value: Value, heads: number, options: PreciseAttentionOptions = {}): Value {
    return attention(this, this.#nodes, [query, key, value], heads, options);
  }

  /**
   * Rows of a table [count, width] by their numbers [n, s]: [n, s, width]. 16-bit tables are widened after the look-up,
   * but for WebGPU, where not every device knows 16-bit floats.
   */
  embedding(ids: Value, table: TensorView): Value {
    return embedding(this.#nodes, ids, table);
  }

  /** A feature map [n, c, h, w] as a sequence of its places, row by row: [n, h * w, c]. */
  toTokens(x: Value): Value {
    const [batch, channels] = x.dims;
    const flat = this.reshape(x, [batch, channels, -1]);
    return this.transpose(flat, [0, 2, 1]);
  }

  /** The reverse of toTokens: [n, h * w, c] to the height and width of `like`. */
  fromTokens(tokens: Value, like: Value): Value {
    const [batch, , channels] = tokens.dims;
    return this.reshape(this.transpose(tokens, [0, 2, 1]), [batch, channels, ...like.dims.slice(2)]);
  }

  /** Doubles height and width, each pixel repeated; or, with `like`, grows to that value's height and width. */
  upsample(x: Value, like?: Value): Value {
    return upsample(this.#nodes, x, like);
  }

  /** Halves height and width of x [n, c, h, w], rounding up: each value is the mean of a square. */
  halve(x: Value): Value {
    return halve(this.#nodes, x);
  }

  /**
   * The sinusoidal embedding of a timestep [n]: [n, width].
   * @see arXiv 1706.03762, 3.5, as diffusers' `get_timestep_embedding` has it
   */
  timestepEmbedding(timestep: Value, width: number, options: TimestepEmbeddingOptions): Value {
    return timestepEmbedding(this.#nodes, timestep, width, options);
  }

  /** The axes of x in another order. */
  transpose(x: Value, order: readonly number[]): Value {
    return this.op(
      'Transpose',
      [x],
      order.map((axis) => x.dims[axis]),
      { perm: order.map(BigInt) },
    );
  }

  /** x [n * k, ...] as [n, k, ...]; `count` is k, a whole number [1]. */
  splitBatch(x: Value, count: Value): Value {
    const rest = x.dims.slice(1);
    const sizes = [this.indices([-1]), count, this.#nodes.shapes.shape(rest)];
    const shape = this.op('Concat', sizes, [x.dims.length + 1], { axis: 0n });
    return this.#nodes.sized('Reshape', [x, shape], [undefined, undefined, ...rest]);
  }

  /** Numbers as whole numbers, for operators that take sizes as a tensor. */
  whole(x: Value): Value {
    const { name, dims } = this.op('Cast', [x], x.dims, { to: BigInt(onnxType('int64')) });
    return { name, dims };
  }

  /** The size of an axis of x, which may be known to the run alone: a whole number [1]. */
  size(x: Value, axis: number): Value {
    return this.op('Shape', [x], [1], { start: BigInt(axis), end: BigInt(axis + 1) });
  }

  /** The whole numbers from 0 up to, not including, the size of an axis of x: [size]. */
  places(x: Value, axis: number): Value {
    const [zero, size, one] = [this.indices([0]), this.size(x, axis), this.indices([1])].map((value) =>
      this.op('Squeeze', [value], []),
    );
    return this.op('Range', [zero, size, one], [x.dims[axis]]);
  }

  /** The same values in another shape; one size may be -1, for what remains. */
  reshape(x: Value, dims: readonly Dim[]): Value {
    return this.#nodes.shapes.reshape(x, dims);
  }

  /** Repeats axes of size 1 up to the sizes in `dims`: [1, tokens, width] to [batch, tokens, width]. */
  expand(x: Value, dims: readonly Dim[]): Value {
    return this.op('Expand', [x, this.#nodes.shapes.shape(dims)], dims);
  }

  /** Whole numbers, for operators that take axes or sizes as a tensor. */
  indices(values: readonly number[]): Value {
    return this.#nodes.shapes.indices(values);
  }

  #adapted(layer: AdaptedLayer): Value {
    return this.#adapters.reduce((output, adapter) => adapter({ ...layer, output }), layer.output);
  }
}
