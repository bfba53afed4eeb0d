import { sizeOf } from '@sd/core';
import type { Attribute } from './onnx/messages.js';
import type { OnnxWriter } from './onnx/onnx-writer.js';
import type { Dim, Value } from './value.js';

/** A size; undefined for one that the runtime infers. */
export type Size = Dim | undefined;

/**
 * Symbolic shapes in a graph: knows where each symbolic size can be read from, writes every shape once, and collapses
 * chains of reshapes.
 */
export class Shapes {
  readonly #writer: OnnxWriter;
  readonly #symbols = new Map<string, { value: Value; axis: number }>();
  readonly #sizes = new Map<string, Value>();
  /** Shape tensors by their sizes, and reshaped values by their source and shape. */
  readonly #shapes = new Map<string, Value>();
  readonly #reshapes = new Map<string, Value>();
  /** The value that each reshaped value came from. */
  readonly #sources = new Map<string, Value>();

  constructor(writer: OnnxWriter) {
    this.#writer = writer;
  }

  /** Registers a value whose symbolic sizes can be read at run time; returns it. */
  register(value: Value): Value {
    value.dims.forEach((dim, axis) => {
      if (typeof dim === 'string' && !this.#symbols.has(dim)) this.#symbols.set(dim, { value, axis });
    });
    return value;
  }

  /** Writes an operator whose output has sizes known only at run time: they get names, which later shapes can use. */
  operation(
    opType: string,
    inputs: readonly Value[],
    sizes: readonly Size[],
    attributes: Readonly<Record<string, Attribute>> = {},
  ): Value {
    const [name] = this.#writer.node(
      opType,
      inputs.map((input) => input.name),
      attributes,
    );
    const { type } = inputs[0];
    const value = { name, dims: sizes.map((size, axis) => size ?? `${name}:${axis}`), type };
    this.#writer.shape(name, value.dims, type);
    return this.register(value);
  }

  /** See `Graph.reshape`. */
  reshape(x: Value, dims: readonly Dim[]): Value {
    const source = this.#sources.get(x.name) ?? x;
    const known = dims.map((dim) => (dim === -1 ? remaining(source.dims, dims) : dim));
    if (known.length === source.dims.length && known.every((dim, i) => dim === source.dims[i])) return source;
    const key = `${source.name} as ${known}`;
    const written = this.#reshapes.get(key);
    if (written !== undefined) return written;
    const result = this.operation('Reshape', [source, this.shape(known)], known);
    this.#reshapes.set(key, result);
    this.#sources.set(result.name, source);
    return result;
  }

  /** A shape as a tensor. Symbolic sizes are read from other values; at most one may be undefined. */
  shape(sizes: readonly Size[]): Value {
    const parts = sizes.map((size) => size ?? -1);
    const key = String(parts);
    let shape = this.#shapes.get(key);
    if (shape === undefined) {
      shape = parts.some((part) => typeof part === 'string') ? this.#joined(parts) : this.indices(parts as number[]);
      this.#shapes.set(key, shape);
    }
    return shape;
  }

  /** See `Graph.indices`. */
  indices(values: readonly number[]): Value {
    return { name: this.#writer.constant('int64', [values.length], values), dims: [values.length] };
  }

  #joined(parts: readonly Dim[]): Value {
    const sizes = parts.map((part) => (typeof part === 'string' ? this.#size(part) : this.indices([part])).name);
    const [name] = this.#writer.node('Concat', sizes, { axis: 0n });
    return { name, dims: [parts.length] };
  }

  #size(symbol: string): Value {
    let size = this.#sizes.get(symbol);
    if (size === undefined) {
      const { value, axis } = this.#symbols.get(symbol)!; // every symbol comes from a registered value
      const [name] = this.#writer.node('Shape', [value.name], { start: BigInt(axis), end: BigInt(axis + 1) });
      size = { name, dims: [1] };
      this.#sizes.set(symbol, size);
    }
    return size;
  }
}

/** The size that -1 stands for: one of `from`'s, or computed from known sizes; otherwise undefined. */
function remaining(from: readonly Dim[], to: readonly Dim[]): Size {
  const left = [...from];
  const others = to.filter((dim) => {
    const i = left.indexOf(dim);
    if (i >= 0) left.splice(i, 1);
    return i < 0 && dim !== -1;
  });
  if (others.length === 0 && left.length === 1) return left[0];
  if (![...left, ...others].every((dim) => typeof dim === 'number')) return undefined;
  return sizeOf(left as number[]) / sizeOf(others as number[]);
}
