import type { TensorType } from '@sd/core';
import { sliceView, type TensorView } from '@sd/weights';
import type { GraphInput, GraphModel } from './feeds.js';
import { type AttentionOptions, attention } from './forms/attention.js';
import { attentionProbabilities } from './forms/attention-probabilities.js';
import { add, concat, expand, mul, transpose } from './forms/basic.js';
import { convolution, embedding, matmul } from './forms/layers.js';
import { groupNorm, layerNormalization, rmsNorm, standardized } from './forms/normalization.js';
import { averagePool, upsample } from './forms/resizing.js';
import { nonZeroRows, type Rows, selectRows } from './forms/rows.js';
import { type TimestepEmbeddingOptions, timestepEmbedding } from './forms/timestep-embedding.js';
import type { AdaptedLayer, AdaptedTable, ConvOptions, LayerHooks, NormChange } from './layer-hook.js';
import { type GraphOptions, Nodes } from './nodes.js';
import type { Attribute } from './onnx/messages.js';
import { onnxType } from './onnx/onnx-writer.js';
import type { Scope } from './scope.js';
import { type Dim, staticDim, type Value } from './value.js';

/**
 * Writes an ONNX graph: each method adds an operation and returns its result. Shapes are tracked, so that a weight of the
 * wrong shape is reported by name while the graph is written; batch, height and width may be symbols.
 *
 * Operations of more than one node are in `forms/`, in the form that ONNX Runtime's CPU provider runs fastest (measured
 * in bench/), or the one that another provider needs. `Nodes` has the rules of half precision.
 */
export class Graph {
  readonly #nodes: Nodes;
  readonly #hooks: LayerHooks[] = [];

  constructor(options: GraphOptions = {}) {
    this.#nodes = new Nodes(options);
  }

  get provider(): string {
    return this.#nodes.provider;
  }

  /** The inputs declared so far. */
  get inputs(): readonly GraphInput[] {
    return this.#nodes.inputs;
  }

  input(name: string, dims: readonly Dim[], type: TensorType = 'float32'): Value {
    return this.#nodes.input({ name, dims, type, optional: false });
  }

  /** An input that defaults to zeros if it is not fed: see `completeFeeds`. */
  optionalInput(name: string, dims: readonly Dim[], type: TensorType = 'float32'): Value {
    return this.#nodes.input({ name, dims, type, optional: true });
  }

  /**
   * Calls the hooks for every linear layer, convolution and normalization written from now on. Hooks run in the order they
   * were added.
   */
  addHooks(hooks: LayerHooks): void {
    this.#hooks.push(hooks);
  }

  output(name: string, value: Value): void {
    const { writer } = this.#nodes;
    writer.node('Identity', [this.#nodes.cast(value, 'float32').name], {}, { name });
    writer.output(name, 'float32', value.dims);
  }

  /**
   * The finished graph, for a backend to load. Nodes that no output needs are left out.
   * @param repeated Whether it will run many times in a row.
   */
  finish(name: string, { repeated }: { repeated: boolean }): GraphModel {
    const { writer, inputs } = this.#nodes;
    return { name, ...writer.finish(name), inputs, hints: this.#nodes.hints(repeated) };
  }

  /** Any operator that has no method here. `dims` is the shape of its single output. */
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

  /** A checkpoint's tensor in the type that layers compute in. A tensor of another type is cast once, when the graph is loaded. */
  weight(view: TensorView): Value {
    return this.#nodes.weight(view);
  }

  /** x in float32, in a half-precision graph too, for values that overflow float16. */
  toFloat32(x: Value): Value {
    return this.#nodes.cast(x, 'float32');
  }

  /** a + b, where b broadcasts to the shape of a. */
  add(a: Value, b: Value): Value {
    return add(this.#nodes, a, b);
  }

  /** a * b by element, where b broadcasts to the shape of a. */
  mul(a: Value, b: Value): Value {
    return mul(this.#nodes, a, b);
  }

  /** Concatenates values along an axis of known sizes. */
  concat(values: readonly Value[], axis: number): Value {
    return concat(this.#nodes, values, axis);
  }

  /** x * sigmoid(x). QuickGelu with alpha 1 takes one node instead of two. */
  silu(x: Value): Value {
    return this.op('QuickGelu', [x], x.dims, { alpha: 1 }, 'com.microsoft');
  }

  relu(x: Value): Value {
    return this.op('Relu', [x], x.dims);
  }

  /** x * sigmoid(1.702 x), CLIP's approximation of GELU. */
  quickGelu(x: Value): Value {
    return this.op('QuickGelu', [x], x.dims, { alpha: 1.702 }, 'com.microsoft');
  }

  /** The exact GELU, with erf. */
  gelu(x: Value): Value {
    return this.op('Gelu', [x], x.dims, {}, 'com.microsoft');
  }

  /** GELU approximated with tanh (arXiv 1606.08415, section 2). */
  geluTanh(x: Value): Value {
    return this.op('FastGelu', [x], x.dims, {}, 'com.microsoft');
  }

  /** A linear layer, x [..., in] to [..., out], with a bias if the module has one. */
  linear(x: Value, w: Scope, out: number): Value {
    const weight = w.tensor('weight', [out, staticDim(x, -1)]);
    const bias = w.has('bias') ? w.tensor('bias', [out]) : undefined;
    return this.#adapted({ module: w.path, input: x, weight, bias }, this.matmul(x, weight, bias));
  }

  /** Several linear layers whose matrices are stacked in one module, each reading its own rows in place. */
  linearParts(x: Value, w: Scope, outs: readonly number[]): Value[] {
    const total = outs.reduce((sum, out) => sum + out, 0);
    const weight = w.tensor('weight', [total, staticDim(x, -1)]);
    const bias = w.has('bias') ? w.tensor('bias', [total]) : undefined;
    let end = 0;
    return outs.map((out) => {
      const rows = { start: end, end: end + out, module: { weight, bias } };
      end = rows.end;
      const part = {
        weight: sliceView(weight, rows.start, rows.end),
        bias: bias && sliceView(bias, rows.start, rows.end),
      };
      return this.#adapted({ module: w.path, input: x, rows, ...part }, this.matmul(x, part.weight, part.bias));
    });
  }

  /** x [..., in] times the transpose of a matrix [out, in], plus a bias [out]: [..., out]. Hooks do not see it. */
  matmul(x: Value, weight: TensorView, bias?: TensorView): Value {
    return matmul(this.#nodes, x, weight, bias);
  }

  /**
   * A convolution layer with a square kernel, x [n, in, h, w] to [n, out, h', w'].
   * @param padding Rows and columns added on each side, or [top, left, bottom, right]; by default, as many as keep the size.
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
    return this.#adapted({ module: w.path, input: x, weight, bias, conv }, this.convolution(x, conv, weight, bias));
  }

  /** x [n, in, h, w] convolved with [out, in, k, k], plus a bias [out]: [n, out, h', w']. Hooks do not see it. */
  convolution(x: Value, options: ConvOptions, weight: TensorView | Value, bias?: TensorView): Value {
    return convolution(this.#nodes, x, options, weight, bias);
  }

  /** Group normalization of x [n, c, ...], then a scale and a shift for each channel. */
  groupNorm(x: Value, w: Scope, options: { groups: number; epsilon: number }): Value {
    return groupNorm(this.#nodes, x, w, { ...options, change: this.#normChange(w, staticDim(x, 1)) });
  }

  /** Normalizes the last axis, without scale and shift. */
  standardized(x: Value, epsilon: number): Value {
    return standardized(this.#nodes, x, epsilon);
  }

  /** x [..., size] divided by the root of its mean square, times a scale [size] (arXiv 1910.07467). */
  rmsNorm(x: Value, w: Scope, epsilon: number): Value {
    const size = staticDim(x, -1);
    return rmsNorm(this.#nodes, x, w.tensor('weight', [size]), { epsilon, change: this.#normChange(w, size) });
  }

  /** A layer normalization over the last axis. */
  layerNorm(x: Value, w: Scope, epsilon = 1e-5): Value {
    const size = staticDim(x, -1);
    const change = this.#normChange(w, size);
    return layerNormalization(this.#nodes, x, [w.tensor('weight', [size]), w.tensor('bias', [size])], {
      epsilon,
      change,
    });
  }

  /** Normalizes the last axis of x [..., size], then multiplies by `scale` [size] and adds `shift` [size]. Hooks do not see it. */
  layerNormalization(x: Value, scale: TensorView, shift: TensorView, epsilon = 1e-5): Value {
    return layerNormalization(this.#nodes, x, [scale, shift], { epsilon });
  }

  /**
   * Multi-head attention of queries [n, s, c] over keys and values [n, l, c], scaled by `scale`, 1 / sqrt(head width) by
   * default. On the CPU, without `causal` and `bias`, this is the flash form, which never holds all s x l scores in memory.
   */
  attention(query: Value, key: Value, value: Value, heads: number, options: AttentionOptions = {}): Value {
    return attention(this.#nodes, [query, key, value], heads, options);
  }

  /**
   * How much of its attention each query [n, s, c] gives to each key [n, l, c]: the softmax of the scaled scores, averaged
   * over heads, [n, s, l] in float32.
   */
  attentionProbabilities(query: Value, key: Value, heads: number): Value {
    return attentionProbabilities(this.#nodes, query, key, heads);
  }

  /** The rows of a batch where `mask` [n] is not 0, which may be none; on WebGPU, followed by the first row. */
  nonZeroRows(mask: Value): Rows {
    return nonZeroRows(this.#nodes, mask);
  }

  /** These rows of x [n, ...]: [rows, ...]. */
  selectRows(x: Value, rows: Rows): Value {
    return selectRows(this.#nodes, x, rows);
  }

  /**
   * Looks up rows of a table [count, width] by index [n, s]: [n, s, width]. 16-bit tables are widened after the look-up,
   * except for WebGPU, where not every device has 16-bit floats. Hooks do not see it.
   */
  embedding(ids: Value, table: TensorView): Value {
    return embedding(this.#nodes, ids, table);
  }

  /** Rows of a module's table after the hooks' changes. */
  adaptedRows(rows: AdaptedTable): Value {
    return this.#hooks.reduce((output, { table }) => table?.({ ...rows, output }) ?? output, rows.output);
  }

  /** A feature map [n, c, h, w] as a sequence of its pixels, row by row: [n, h * w, c]. */
  toTokens(x: Value): Value {
    const [batch, channels] = x.dims;
    const flat = this.reshape(x, [batch, channels, -1]);
    return this.transpose(flat, [0, 2, 1]);
  }

  /** The inverse of toTokens: [n, h * w, c] to a feature map of the height and width of `like`. */
  fromTokens(tokens: Value, like: Value): Value {
    const [batch, , channels] = tokens.dims;
    return this.reshape(this.transpose(tokens, [0, 2, 1]), [batch, channels, ...like.dims.slice(2)]);
  }

  /** Nearest-neighbour upsampling of x [n, c, h, w] to twice its height and width, or to those of `like`. */
  upsample(x: Value, like?: Value): Value {
    return upsample(this.#nodes, x, like);
  }

  /** 2 x 2 average pooling of x [n, c, h, w] with stride 2: [n, c, ceil(h / 2), ceil(w / 2)]. */
  averagePool(x: Value): Value {
    return averagePool(this.#nodes, x);
  }

  /**
   * The sinusoidal embedding of timesteps [n]: [n, width].
   * @see arXiv 1706.03762, section 3.5; diffusers' `get_timestep_embedding`
   */
  timestepEmbedding(timestep: Value, width: number, options: TimestepEmbeddingOptions): Value {
    return timestepEmbedding(this.#nodes, timestep, width, options);
  }

  /** Permutes the axes of x. */
  transpose(x: Value, order: readonly number[]): Value {
    return transpose(this.#nodes, x, order);
  }

  /** x [n * k, ...] as [n, k, ...], where `count` is k, an int64 [1]. */
  splitBatch(x: Value, count: Value): Value {
    const rest = x.dims.slice(1);
    const sizes = [this.indices([-1]), count, this.#nodes.shapes.shape(rest)];
    const shape = this.op('Concat', sizes, [x.dims.length + 1], { axis: 0n });
    return this.#nodes.sized('Reshape', [x, shape], [undefined, undefined, ...rest]);
  }

  /** Casts to int64, for operators that take sizes as a tensor. */
  toInt64(x: Value): Value {
    const { name, dims } = this.op('Cast', [x], x.dims, { to: BigInt(onnxType('int64')) });
    return { name, dims };
  }

  /** The size of an axis of x, which may be known only at run time: a whole number [1]. */
  size(x: Value, axis: number): Value {
    return this.op('Shape', [x], [1], { start: BigInt(axis), end: BigInt(axis + 1) });
  }

  /** The whole numbers from 0 to one less than the size of an axis of x: [size]. */
  places(x: Value, axis: number): Value {
    const [zero, size, one] = [this.indices([0]), this.size(x, axis), this.indices([1])].map((value) =>
      this.op('Squeeze', [value], []),
    );
    return this.op('Range', [zero, size, one], [x.dims[axis]]);
  }

  /** The same values in another shape. One size may be -1, to be inferred. */
  reshape(x: Value, dims: readonly Dim[]): Value {
    return this.#nodes.shapes.reshape(x, dims);
  }

  /** Broadcasts axes of size 1 to the sizes in `dims`: [1, tokens, width] to [batch, tokens, width]. */
  expand(x: Value, dims: readonly Dim[]): Value {
    return expand(this.#nodes, x, dims);
  }

  /** An int64 constant, for operators that take axes or sizes as a tensor. */
  indices(values: readonly number[]): Value {
    return this.#nodes.shapes.indices(values);
  }

  #adapted(written: Omit<AdaptedLayer, 'plain' | 'output'>, plain: Value): Value {
    return this.#hooks.reduce((output, { layer }) => layer?.({ ...written, plain, output }) ?? output, plain);
  }

  /** The sums of what hooks add to a normalization's scale and shift. */
  #normChange(w: Scope, size: number): NormChange {
    const changes = this.#hooks.flatMap(({ norm }) => norm?.({ module: w.path, size }) ?? []);
    const sum = (part: keyof NormChange) =>
      changes
        .flatMap((change) => change[part] ?? [])
        .reduce<Value | undefined>((a, b) => (a ? this.add(a, b) : b), undefined);
    return { scale: sum('scale'), shift: sum('shift') };
  }
}
