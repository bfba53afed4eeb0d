import type { BackendFeatures, TensorType } from '@sd/core';
import type { AdaptedLayer, ConvOptions, LayerAdapter } from './adapter.js';
import type { GraphInput, GraphModel } from './feeds.js';
import {
  type AttentionOptions,
  fusedAttention,
  headByHead,
  type PreciseAttentionOptions,
  plainAttention,
} from './forms/attention.js';
import type { Attribute } from './onnx/messages.js';
import { OnnxWriter, onnxType } from './onnx/onnx-writer.js';
import { sliceView, type TensorView, transposeView } from './safetensors/tensor-view.js';
import type { Scope } from './scope.js';
import { Shapes } from './shapes.js';
import { type Dim, type FloatType, staticDim, type Value } from './value.js';

/** From this many bytes of 16-bit weights on, memory while loading counts more than the last bit of speed. */
const largeWidening = 2 ** 29;

/** What a graph is written for; a Backend is one. */
export interface GraphOptions {
  /** The execution provider: `cpu` by default. */
  readonly provider?: string;
  /** What it can do there. With `float16` the graph computes in half precision; what goes in and out stays float32. */
  readonly features?: BackendFeatures;
}

/** Operators that make of floats what is none. */
const givesNoFloats = new Set(['Equal', 'Less', 'Shape']);

/**
 * A graph being written: each method adds an operation and gives its result. Shapes are followed along, so that a
 * weight of the wrong shape is named while the graph is written; batch, height and width may be symbols.
 *
 * The forms chosen here are those that ONNX Runtime's CPU provider runs fastest, by the measurements in bench/; `forms/`
 * has those that other providers need.
 *
 * A graph in half precision keeps 16-bit weights as they are stored and casts others once. Where float16 meets float32 in
 * an operator, it computes in float16: after the first layer all does, but for sines and for normalizations, whose sums of
 * squares leave the range of float16.
 */
export class Graph {
  readonly provider: string;
  readonly #writer = new OnnxWriter();
  readonly #shapes = new Shapes(this.#writer);
  readonly #inputs: GraphInput[] = [];
  readonly #adapters: LayerAdapter[] = [];
  readonly #preciseNodes: string[] = [];
  readonly #casts = new Map<string, Value>();
  /** What layers compute in. */
  readonly #float: FloatType;
  readonly #fusedAttention: boolean;

  constructor({ provider = 'cpu', features: { float16 = false, fusedAttention = true } = {} }: GraphOptions = {}) {
    this.provider = provider;
    this.#float = float16 ? 'float16' : 'float32';
    this.#fusedAttention = fusedAttention;
  }

  /** What the graph takes so far. */
  get inputs(): readonly GraphInput[] {
    return this.#inputs;
  }

  input(name: string, dims: readonly Dim[], type: TensorType = 'float32'): Value {
    return this.#input({ name, dims, type, optional: false });
  }

  /** An input that counts as zeros where it is not fed: see `completeFeeds`. */
  optionalInput(name: string, dims: readonly Dim[], type: TensorType = 'float32'): Value {
    return this.#input({ name, dims, type, optional: true });
  }

  /** From here on, shows the adapter every linear layer and convolution. Several see them in the order in which they came. */
  adapt(adapter: LayerAdapter): void {
    this.#adapters.push(adapter);
  }

  output(name: string, value: Value): void {
    const wide = this.#cast(value, 'float32');
    this.#writer.node('Identity', [wide.name], {}, { name });
    this.#writer.output(name, 'float32', value.dims);
  }

  /**
   * The finished graph, for a backend to load.
   * @param repeated Will it run many times in a row?
   */
  finish(name: string, { repeated }: { repeated: boolean }): GraphModel {
    const { storedBytes, halfBytes } = this.#writer;
    const half = this.#float === 'float16';
    const hints = {
      repeated,
      compact: !half && halfBytes >= largeWidening,
      weightBytes: half ? (storedBytes + halfBytes) / 2 : storedBytes + halfBytes,
      precise: this.#preciseNodes,
    };
    return { name, ...this.#writer.finish(name), inputs: this.#inputs, hints };
  }

  /** Any operator, for what this class has no method for. */
  op(
    opType: string,
    inputs: readonly Value[],
    dims: readonly Dim[],
    attributes: Readonly<Record<string, Attribute>> = {},
    domain = '',
  ): Value {
    const given = this.#alike(inputs);
    const [name] = this.#writer.node(
      opType,
      given.map((input) => input.name),
      attributes,
      { domain },
    );
    return { name, dims, type: givesNoFloats.has(opType) ? undefined : given.find(({ type }) => type)?.type };
  }

  constant(values: readonly number[], dims: readonly number[] = [values.length]): Value {
    return { name: this.#writer.constant('float32', dims, values), dims, type: 'float32' };
  }

  /** A checkpoint's tensor in the type that layers compute in. One of another type is cast once, when the graph is loaded. */
  weight(view: TensorView): Value {
    return this.#weight(view, this.#float);
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
    const [out, width] = weight.shape;
    const rows = this.reshape(x, [-1, width]);
    const inputs = [rows, this.weight(weight)];
    if (bias !== undefined) inputs.push(this.weight(bias));
    return this.reshape(this.op('Gemm', inputs, [rows.dims[0], out], { transB: 1n }), [...x.dims.slice(0, -1), out]);
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
  convolution(
    x: Value,
    { kernel, stride, padding }: ConvOptions,
    weight: TensorView | Value,
    bias?: TensorView,
  ): Value {
    const [batch, , height, width] = x.dims;
    const kernels = 'file' in weight ? this.weight(weight) : weight;
    const inputs = [x, kernels];
    if (bias !== undefined) inputs.push(this.weight(bias));
    const resized = (dim: Dim, added: number) =>
      typeof dim === 'number'
        ? Math.floor((dim + added - kernel) / stride) + 1
        : stride === 1 && added === kernel - 1
          ? dim
          : undefined;
    const sizes = [
      batch,
      kernels.dims[0],
      resized(height, padding[0] + padding[2]),
      resized(width, padding[1] + padding[3]),
    ];
    return this.#shapes.operation('Conv', this.#alike(inputs), sizes, {
      kernel_shape: [BigInt(kernel), BigInt(kernel)],
      strides: [BigInt(stride), BigInt(stride)],
      pads: padding.map(BigInt),
    });
  }

  /** Normalizes groups of channels of x [n, c, ...], each picture by itself, then scales and shifts each channel. */
  groupNorm(x: Value, w: Scope, { groups, epsilon }: { groups: number; epsilon: number }): Value {
    const channels = staticDim(x, 1);
    const grouped = this.#cast(this.reshape(x, [x.dims[0], groups, -1]), 'float32');
    const ones = this.constant(new Array(groups).fill(1));
    const zeros = this.constant(new Array(groups).fill(0));
    const normalGroups = this.op('InstanceNormalization', [grouped, ones, zeros], grouped.dims, { epsilon });
    const normal = this.reshape(this.#cast(normalGroups, this.#float), x.dims);
    const perChannel = [channels, ...x.dims.slice(2).map(() => 1)];
    const scale = this.weight({ ...w.tensor('weight', [channels]), shape: perChannel });
    const shift = this.weight({ ...w.tensor('bias', [channels]), shape: perChannel });
    return this.add(this.mul(normal, scale), shift);
  }

  /** Normalizes the last axis. */
  layerNorm(x: Value, w: Scope, epsilon = 1e-5): Value {
    const size = staticDim(x, -1);
    return this.normalized(x, w.tensor('weight', [size]), w.tensor('bias', [size]), epsilon);
  }

  /** Normalizes the last axis of x [..., size], then scales and shifts by [size]. */
  normalized(x: Value, scale: TensorView, shift: TensorView, epsilon = 1e-5): Value {
    const inputs = [this.#cast(x, 'float32'), this.#weight(scale, 'float32'), this.#weight(shift, 'float32')];
    const normal = this.op('LayerNormalization', inputs, x.dims, { axis: -1n, epsilon });
    return this.#cast(normal, this.#float);
  }

  /**
   * Multi-head attention of queries [n, s, c] over keys and values [n, l, c], scaled by the root of a head's width.
   * On the CPU this is the flash form, without `causal` and `bias`: the s x l scores are never whole in memory.
   */
  attention(query: Value, key: Value, value: Value, heads: number, options: PreciseAttentionOptions = {}): Value {
    const { upcast = false, ...shown } = options;
    const type = upcast ? 'float32' : this.#float;
    const parts = [this.#cast(query, type), this.#cast(key, type), this.#cast(value, type)] as const;
    return this.#cast(this.#attention(parts, heads, shown), this.#float);
  }

  /**
   * Rows of a table [count, width] by their numbers [n, s]: [n, s, width]. 16-bit tables are widened after the look-up,
   * but for WebGPU, where not every device knows 16-bit floats.
   */
  embedding(ids: Value, table: TensorView): Value {
    const dims = [...ids.dims, table.shape[1]];
    if (this.provider === 'webgpu') return this.op('Gather', [this.weight(table), ids], dims);
    const stored = { ...this.#writer.weight(table), dims: table.shape };
    return this.#cast(this.op('Gather', [stored, ids], dims), this.#float);
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
    const [batch, channels, height, width] = x.dims;
    const attributes = { mode: 'nearest', nearest_mode: 'floor', coordinate_transformation_mode: 'asymmetric' };
    const none = { name: '', dims: [] };
    if (like === undefined) {
      const double = (dim: Dim) => (typeof dim === 'number' ? 2 * dim : undefined);
      const sizes = [batch, channels, double(height), double(width)];
      return this.#shapes.operation('Resize', [x, none, this.constant([1, 1, 2, 2])], sizes, attributes);
    }
    const sizes = [batch, channels, like.dims[2], like.dims[3]];
    return this.#shapes.operation('Resize', [x, none, none, this.#shapes.shape(sizes)], sizes, attributes);
  }

  /** Halves height and width of x [n, c, h, w], rounding up: each value is the mean of a square. */
  halve(x: Value): Value {
    const [batch, channels, height, width] = x.dims;
    const half = (dim: Dim) => (typeof dim === 'number' ? Math.ceil(dim / 2) : undefined);
    return this.#shapes.operation('AveragePool', [x], [batch, channels, half(height), half(width)], {
      kernel_shape: [2n, 2n],
      strides: [2n, 2n],
      ceil_mode: 1n,
    });
  }

  /**
   * The sinusoidal embedding of a timestep [n]: [n, width].
   * @see arXiv 1706.03762, 3.5, as diffusers' `get_timestep_embedding` has it
   */
  timestepEmbedding(
    timestep: Value,
    width: number,
    { cosineFirst, shift }: { cosineFirst: boolean; shift: number },
  ): Value {
    const half = width / 2;
    const frequencies = Array.from({ length: half }, (_, i) => Math.exp((-Math.log(10000) * i) / (half - shift)));
    const column = this.reshape(timestep, [timestep.dims[0], 1]);
    const angles = this.op('Mul', [column, this.constant(frequencies, [1, half])], [timestep.dims[0], half]);
    const parts = [this.#precise('Sin', angles), this.#precise('Cos', angles)];
    return this.concat(cosineFirst ? parts.reverse() : parts, 1);
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
    const shape = this.op('Concat', [this.indices([-1]), count, this.#shapes.shape(rest)], [x.dims.length + 1], {
      axis: 0n,
    });
    return this.#shapes.operation('Reshape', [x, shape], [undefined, undefined, ...rest]);
  }

  /** Numbers as whole numbers, for operators that take sizes as a tensor. */
  whole(x: Value): Value {
    const { name, dims } = this.op('Cast', [x], x.dims, { to: BigInt(onnxType('int64')) });
    return { name, dims };
  }

  /** The same values in another shape; one size may be -1, for what remains. */
  reshape(x: Value, dims: readonly Dim[]): Value {
    return this.#shapes.reshape(x, dims);
  }

  /** Repeats axes of size 1 up to the sizes in `dims`: [1, tokens, width] to [batch, tokens, width]. */
  expand(x: Value, dims: readonly Dim[]): Value {
    return this.op('Expand', [x, this.#shapes.shape(dims)], dims);
  }

  /** Whole numbers, for operators that take axes or sizes as a tensor. */
  indices(values: readonly number[]): Value {
    return this.#shapes.indices(values);
  }

  #input(input: GraphInput): Value {
    const { name, dims, type } = input;
    this.#writer.input(name, type, dims);
    this.#inputs.push(input);
    return this.#shapes.input({ name, dims, type: type === 'float16' || type === 'float32' ? type : undefined });
  }

  #adapted(layer: AdaptedLayer): Value {
    return this.#adapters.reduce((output, adapter) => adapter({ ...layer, output }), layer.output);
  }

  /** A function that shaders may compute too roughly: WGSL allows an error of 2^-11, and there are some of 2e-4. */
  #precise(opType: 'Sin' | 'Cos', x: Value): Value {
    const value = this.op(opType, [x], x.dims);
    this.#preciseNodes.push(value.name);
    return value;
  }

  #weight(view: TensorView, type: FloatType): Value {
    const stored = view.transposed === true ? transposeView(view) : view;
    const value = this.#cast({ ...this.#writer.weight(stored), dims: stored.shape }, type);
    return stored === view ? value : this.op('Transpose', [value], view.shape, { perm: [1n, 0n] });
  }

  #attention(parts: readonly [Value, Value, Value], heads: number, options: AttentionOptions): Value {
    if (!this.#fusedAttention) return headByHead(this, parts, heads, (head) => plainAttention(this, head, options));
    // As many queries as keys: a feature map's attention to itself, whose scores are large.
    const large = parts[1].dims[1] === parts[0].dims[1] && heads > 1;
    const plain = options.causal !== true && options.bias === undefined;
    return this.provider === 'wasm' && large && plain
      ? headByHead(this, parts, heads, (head) => fusedAttention(this, head, 1))
      : fusedAttention(this, parts, heads, options);
  }

  /** Inputs of one operator in one type of floats, which is float16 if one of them is. */
  #alike(inputs: readonly Value[]): readonly Value[] {
    if (!inputs.some(({ type }) => type === 'float16')) return inputs;
    return inputs.map((input) => (input.type === undefined ? input : this.#cast(input, 'float16')));
  }

  #cast(value: Value, type: FloatType): Value {
    if (value.type === type) return value;
    const key = `${value.name} as ${type}`;
    const known = this.#casts.get(key);
    if (known !== undefined) return known;
    const result = { ...this.op('Cast', [value], value.dims, { to: BigInt(onnxType(type)) }), type };
    this.#casts.set(key, result);
    return result;
  }
}
