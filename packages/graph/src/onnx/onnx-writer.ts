import { type TensorType, UnsupportedError, type WeightFile } from '@sd/core';
import type { Dtype, TensorView } from '@sd/weights';
import {
  type Attribute,
  elementType,
  modelBytes,
  type NodeMessage,
  type TensorMessage,
  type ValueMessage,
} from './messages.js';

const typeOfDtype: Partial<Record<Dtype, keyof typeof elementType>> = {
  F32: 'float32',
  F16: 'float16',
  BF16: 'bfloat16',
};

interface NumberedFile {
  readonly number: number;
  /** The file, at a location that no other file of the graph has. */
  readonly file: WeightFile;
}

/** Collects nodes, constants and weights, names their values, and serializes them. */
export class OnnxWriter {
  readonly #nodes: NodeMessage[] = [];
  readonly #initializers = new Map<string, TensorMessage>();
  readonly #inputs: ValueMessage[] = [];
  readonly #outputs: ValueMessage[] = [];
  readonly #shapes = new Map<string, ValueMessage>();
  /** Weight files in order of first use. */
  readonly #files = new Map<WeightFile, NumberedFile>();
  #counter = 0;
  #storedBytes = 0;
  #halfBytes = 0;

  /** Bytes of all weights so far, as stored. */
  get storedBytes(): number {
    return this.#storedBytes;
  }

  /** Bytes of the 16-bit weights so far. */
  get halfBytes(): number {
    return this.#halfBytes;
  }

  input(name: string, type: TensorType, dims: readonly (number | string)[]): void {
    this.#inputs.push({ name, type, dims });
  }

  output(name: string, type: TensorType, dims: readonly (number | string)[]): void {
    this.#outputs.push({ name, type, dims });
  }

  /**
   * Declares a shape that the runtime cannot infer. It then knows which values have the same size, and can let an operator
   * overwrite an input that nothing else reads.
   */
  shape(name: string, dims: readonly (number | string)[], type: ValueMessage['type'] = 'float32'): void {
    this.#shapes.set(name, { name, type, dims });
  }

  /** Adds a node and names its outputs. `name` fixes the name of a single output. */
  node(
    opType: string,
    inputs: readonly string[],
    attributes: Readonly<Record<string, Attribute>> = {},
    { domain = '', outputs = 1, name }: { domain?: string; outputs?: number; name?: string } = {},
  ): string[] {
    const id = `${opType}_${this.#counter++}`;
    const output =
      name === undefined ? Array.from({ length: outputs }, (_, i) => (outputs === 1 ? id : `${id}.${i}`)) : [name];
    this.#nodes.push({ name: id, opType, input: inputs, output, attributes, domain });
    return output;
  }

  /** A small constant inside the graph. Equal constants are stored once. */
  constant(type: 'float32' | 'int64', dims: readonly number[], values: readonly number[]): string {
    const name = `${type}[${dims}](${values})`;
    const array = type === 'float32' ? Float32Array.from(values) : BigInt64Array.from(values, BigInt);
    this.#initializers.set(name, { name, dims, type, values: new Uint8Array(array.buffer) });
    return name;
  }

  /** A checkpoint's tensor as external data. Throws an UnsupportedError unless it is F32, F16 or BF16. */
  weight(view: TensorView): { name: string; type: 'float32' | 'float16' | 'bfloat16' } {
    const type = typeOfDtype[view.dtype] as 'float32' | 'float16' | 'bfloat16' | undefined;
    if (type === undefined) {
      throw new UnsupportedError(
        `${view.file.location}: the tensor ${view.name} is ${view.dtype}; weights must be F32, F16 or BF16.`,
      );
    }
    const { number, file } = this.#file(view.file);
    const name = `${number}/${view.name}[${view.shape}]`;
    if (!this.#initializers.has(name)) {
      this.#storedBytes += view.length;
      if (type !== 'float32') this.#halfBytes += view.length;
    }
    const { offset, length } = view;
    const values = { location: file.location, offset, length };
    this.#initializers.set(name, { name, dims: view.shape, type, values });
    return { name, type };
  }

  /** The graph, without nodes that no output needs, and the files of its weights. */
  finish(name: string): { graph: Uint8Array; weights: WeightFile[] } {
    const needed = new Set(this.#outputs.map((output) => output.name));
    const nodes = this.#nodes
      .toReversed()
      .filter((candidate) => {
        if (!candidate.output.some((output) => needed.has(output))) return false;
        for (const input of candidate.input) needed.add(input);
        return true;
      })
      .reverse();
    const initializers = [...this.#initializers.values()].filter((tensor) => needed.has(tensor.name));
    const shapes = [...this.#shapes.values()].filter((value) => needed.has(value.name));
    const graph = { name, nodes, initializers, inputs: this.#inputs, outputs: this.#outputs, shapes };
    return { graph: modelBytes(graph), weights: [...this.#files.values()].map(({ file }) => file) };
  }

  /** Files of two sources may have the same path, as all LoRAs saved by diffusers do: the second gets another location. */
  #file(file: WeightFile): NumberedFile {
    const known = this.#files.get(file);
    if (known !== undefined) return known;
    const number = this.#files.size;
    const isTaken = [...this.#files.values()].some((other) => other.file.location === file.location);
    // A file on disk is found by its location, and may be opened twice.
    const unique = isTaken && file.path === undefined ? { ...file, location: `${file.location}#${number}` } : file;
    const numbered = { number, file: unique };
    this.#files.set(file, numbered);
    return numbered;
  }
}

/** ONNX's number for an element type, for the Cast operator. */
export function onnxType(type: keyof typeof elementType): number {
  return elementType[type];
}
