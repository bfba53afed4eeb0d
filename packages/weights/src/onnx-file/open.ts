import type { Model, ModelHints, RawTensorInfo, Source, WeightFile } from '@sd/core';
import { type RandomAccess, randomAccess } from '../pickle/random-access.js';
import { weightFile } from '../weight-file.js';
import { brokenOnnx, type FieldPlace, fieldsInFile, inBlocks } from './file-fields.js';
import { externalFields, look, type MessageKind, operatorOf, relocated } from './messages.js';
import { outerFile } from './outer-file.js';
import { openValueInfo, readValueInfo, typeName } from './values.js';
import { encodedField, fieldsOf, joined, textField } from './wire.js';

/** An ONNX model that others exported, opened: what it takes, gives and is made of, and the graph to run. */
export interface OnnxFile {
  readonly path: string;
  /** What wrote it: `pytorch 2.4.1`. */
  readonly producer: string;
  /** Version of ONNX's own operators. */
  readonly opset: number;
  /** Types are as ONNX has them, which tensors need not know; a size that is open and has no name is `?`. */
  readonly inputs: readonly RawTensorInfo[];
  readonly outputs: readonly RawTensorInfo[];
  /** Names of its operators, behind those of their domains if they are not ONNX's own: `com.microsoft.GroupNorm`. */
  readonly operators: ReadonlySet<string>;
  /** Bytes of its weights for each type. */
  readonly weightBytes: ReadonlyMap<string, number>;
  /** Inputs in place of the normal values that it would draw by itself, with `noiseInputs`. */
  readonly noises: readonly RawTensorInfo[];
  model(name: string, hints?: ModelHints): Model;
}

export interface OpenOnnxOptions {
  /** Should random normal values that the graph draws, which no seed reaches, be inputs instead? */
  readonly noiseInputs?: boolean;
}

/** Weights of at least as many bytes are left in the file. */
const large = 4096;

const producerName = 2;
const producerVersion = 3;
const graphField = 7;
const opsetField = 8;
const functionField = 25;
const [nodeField, tensorField, inputField, outputField] = [1, 5, 11, 12];
const [dataType, tensorName, rawData] = [2, 8, 9];

/**
 * Opens an ONNX model, with or without external data. Its weights are not read: the graph of `model` points to where they
 * lie, in this file or in those beside it. Throws a SourceError for a missing file, and a CheckpointError for a broken one
 * or for external data outside its folder.
 */
export async function openOnnxFile(source: Source, path: string, options: OpenOnnxOptions = {}): Promise<OnnxFile> {
  const file = inBlocks(await randomAccess(source, path));
  try {
    return await new Opening(source, file, options).open();
  } catch (error) {
    // What the wire reader throws is of no class of its own.
    throw error instanceof RangeError || (error instanceof Error && error.constructor === Error)
      ? brokenOnnx(path, error.message, error)
      : error;
  }
}

/** What is gathered while a file is gone through once. */
class Opening {
  readonly #source: Source;
  readonly #file: RandomAccess;
  readonly #options: OpenOnnxOptions;
  readonly #locations = new Map<string, WeightFile>();
  readonly #operators = new Set<string>();
  readonly #weightBytes = new Map<string, number>();
  readonly #inputs: RawTensorInfo[] = [];
  readonly #outputs: RawTensorInfo[] = [];
  readonly #initializers = new Set<string>();
  readonly #noiseNodes: Uint8Array[] = [];
  #own: WeightFile | undefined;

  constructor(source: Source, file: RandomAccess, options: OpenOnnxOptions) {
    this.#source = source;
    this.#file = file;
    this.#options = options;
  }

  async open(): Promise<OnnxFile> {
    const { path, size } = this.#file;
    const pieces: Uint8Array[] = [];
    let producer = '';
    let opset = 0;
    let noises: RawTensorInfo[] | undefined;
    for await (const place of fieldsInFile(this.#file, 0, size)) {
      if (place.number === graphField) {
        const graph = await this.#graph(place);
        noises = this.#noises();
        const added = noises.map(({ name, type }) => encodedField(inputField, openValueInfo(name, type)));
        pieces.push(encodedField(graphField, joined([...graph, ...added])));
        continue;
      }
      const raw = await this.#bytes(place);
      const [field] = fieldsOf(raw);
      if (place.number === producerName || place.number === producerVersion) {
        producer = `${producer} ${new TextDecoder().decode(field!.body)}`.trim();
      } else if (place.number === opsetField) {
        const domain = textField(field!.body!, 1);
        for (const part of fieldsOf(field!.body!)) if (domain === '' && part.number === 2) opset = part.value ?? 0;
      }
      pieces.push(
        place.number === functionField ? encodedField(place.number, await this.#moved('function', field!.body!)) : raw,
      );
    }
    if (noises === undefined) throw brokenOnnx(path, 'it has no graph');
    const graph = joined(pieces);
    const weights = [...new Set([...this.#locations.values(), ...(this.#own === undefined ? [] : [this.#own])])];
    return {
      path,
      producer,
      opset,
      inputs: this.#inputs.filter(({ name }) => !this.#initializers.has(name)),
      outputs: this.#outputs,
      operators: this.#operators,
      weightBytes: this.#weightBytes,
      noises,
      model: (name, hints) => ({ name, graph, weights, ...(hints && { hints }) }),
    };
  }

  async #graph(graph: FieldPlace): Promise<Uint8Array[]> {
    const pieces: Uint8Array[] = [];
    for await (const place of fieldsInFile(this.#file, graph.body, graph.end)) {
      if (place.number === tensorField) {
        pieces.push(encodedField(tensorField, await this.#initializer(place)));
        continue;
      }
      const raw = await this.#bytes(place);
      const [{ body = raw } = {}] = fieldsOf(raw);
      if (place.number === nodeField) {
        if (this.#options.noiseInputs && /^RandomNormal(Like)?$/.test(operatorOf(body))) {
          this.#noiseNodes.push(body);
          continue;
        }
        const node = await this.#moved('node', body);
        pieces.push(node === body ? raw : encodedField(nodeField, node));
        continue;
      }
      if (place.number === inputField) this.#inputs.push(readValueInfo(body));
      if (place.number === outputField) this.#outputs.push(readValueInfo(body));
      pieces.push(raw);
    }
    return pieces;
  }

  /** A weight of the graph: large values that lie in it stay in the file. */
  async #initializer(place: FieldPlace): Promise<Uint8Array> {
    const isLarge = place.end - place.body >= large;
    const message = isLarge ? await this.#withoutValues(place) : (await this.#file.read(place.body, place.end)).slice();
    let type = '';
    let external = 0;
    let inline = 0;
    for (const { number, body, value } of fieldsOf(message)) {
      if (number === dataType) type = typeName(value ?? 0);
      if (number === tensorName) this.#initializers.add(new TextDecoder().decode(body));
      if (number === rawData) inline = body?.length ?? 0;
      if (number === 13 && textField(body!, 1) === 'length') external = Number(textField(body!, 2));
    }
    this.#weightBytes.set(type, (this.#weightBytes.get(type) ?? 0) + inline + external);
    return isLarge ? message : this.#moved('tensor', message);
  }

  async #withoutValues(tensor: FieldPlace): Promise<Uint8Array> {
    const pieces: Uint8Array[] = [];
    for await (const place of fieldsInFile(this.#file, tensor.body, tensor.end)) {
      if (place.number !== rawData || place.end - place.body < large) {
        pieces.push(await this.#bytes(place));
        continue;
      }
      this.#own ??= await weightFile(this.#source, this.#file.path, this.#file.size);
      pieces.push(...externalFields(this.#own.location, place.body, place.end - place.body));
    }
    return joined(pieces);
  }

  /** The message with its locations as backends know them. */
  async #moved(kind: MessageKind, message: Uint8Array): Promise<Uint8Array> {
    const found = new Set<string>();
    look(kind, message, { operator: (name) => this.#operators.add(name), location: (one) => found.add(one) });
    if (found.size === 0) return message;
    for (const location of found) {
      if (!this.#locations.has(location)) {
        this.#locations.set(location, await outerFile(this.#source, this.#file.path, location));
      }
    }
    const names = [...this.#locations].map(([location, file]): [string, string] => [location, file.location]);
    return relocated(kind, message, new Map(names));
  }

  /** What the nodes that draw would give; of the model's own type, if they do not say of which. */
  #noises(): RawTensorInfo[] {
    const own = this.#inputs.find(({ type }) => type.startsWith('float'))?.type ?? 'float32';
    return this.#noiseNodes.map((node) => {
      let type = own;
      for (const { number, body } of fieldsOf(node)) {
        if (number !== 5 || body === undefined || textField(body, 1) !== 'dtype') continue;
        for (const part of fieldsOf(body))
          if (part.number === 3 && part.value !== undefined) type = typeName(part.value);
      }
      return { name: textField(node, 2), type, dims: [] };
    });
  }

  async #bytes({ start, end }: FieldPlace): Promise<Uint8Array> {
    // A copy, since a block of the file must not be held for a few bytes of it.
    return (await this.#file.read(start, end)).slice();
  }
}
