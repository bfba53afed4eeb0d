import type { Model, ModelHints, RawTensorInfo, Source, WeightFile } from '@sd/core';
import { type RandomAccess, randomAccess } from '../random-access.js';
import { weightFile } from '../weight-file.js';
import { externalFile } from './external-file.js';
import { brokenOnnx, type FieldPlace, fieldsInFile, inBlocks } from './file-fields.js';
import { externalFields, type MessageKind, operatorOf, relocated, visit } from './messages.js';
import { dynamicValueInfo, readValueInfo, typeName } from './values.js';
import { encodedField, fieldsOf, joined, textField } from './wire.js';

/** An opened ONNX model that others exported: its inputs, outputs, operators and weights, and the graph to run. */
export interface OnnxFile {
  readonly path: string;
  /** The software that wrote it: `pytorch 2.4.1`. */
  readonly producer: string;
  /** Version of ONNX's own operator set. */
  readonly opset: number;
  /** Types are ONNX's, including ones that tensors here do not have. A dynamic size without a name is `?`. */
  readonly inputs: readonly RawTensorInfo[];
  readonly outputs: readonly RawTensorInfo[];
  /** Names of its operators, prefixed by their domain if that is not ONNX's own: `com.microsoft.GroupNorm`. */
  readonly operators: ReadonlySet<string>;
  /** Bytes of its weights, by type. */
  readonly weightBytes: ReadonlyMap<string, number>;
  /** With `noiseInputs`: the inputs that replace the normal values it would otherwise draw itself. */
  readonly noises: readonly RawTensorInfo[];
  model(name: string, hints?: ModelHints): Model;
}

export interface OpenOnnxOptions {
  /** Turns the normal values that the graph draws itself, beyond the reach of any seed, into inputs. */
  readonly noiseInputs?: boolean;
}

/** Weights of at least this many bytes stay in the file. */
const large = 4096;

const producerName = 2;
const producerVersion = 3;
const graphField = 7;
const opsetField = 8;
const functionField = 25;
const [nodeField, tensorField, inputField, outputField] = [1, 5, 11, 12];
const [dataType, tensorName, rawData] = [2, 8, 9];

/**
 * Opens an ONNX model, with or without external data. Its weights are not read: the graph that `model` returns points to
 * them, in this file or in its external data files. Throws a SourceError for a missing file, and a CheckpointError for a
 * broken one or for external data outside its folder.
 */
export async function openOnnxFile(source: Source, path: string, options: OpenOnnxOptions = {}): Promise<OnnxFile> {
  const file = inBlocks(await randomAccess(source, path));
  try {
    return await new Opening(source, file, options).open();
  } catch (error) {
    // The wire reader throws plain errors.
    throw error instanceof RangeError || (error instanceof Error && error.constructor === Error)
      ? brokenOnnx(path, error.message, error)
      : error;
  }
}

/** Collects everything about a file in one pass. */
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
  #thisFile: WeightFile | undefined;

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
        const added = noises.map(({ name, type }) => encodedField(inputField, dynamicValueInfo(name, type)));
        pieces.push(encodedField(graphField, joined([...graph, ...added])));
        continue;
      }
      const raw = await this.#bytes(place);
      const [{ body = new Uint8Array() } = {}] = fieldsOf(raw);
      if (place.number === producerName || place.number === producerVersion) {
        producer = `${producer} ${new TextDecoder().decode(body)}`.trim();
      } else if (place.number === opsetField) {
        const domain = textField(body, 1);
        for (const part of fieldsOf(body)) if (domain === '' && part.number === 2) opset = part.value ?? 0;
      }
      pieces.push(
        place.number === functionField ? encodedField(place.number, await this.#relocated('function', body)) : raw,
      );
    }
    if (noises === undefined) throw brokenOnnx(path, 'it has no graph');
    const graph = joined(pieces);
    const weights = [
      ...new Set([...this.#locations.values(), ...(this.#thisFile === undefined ? [] : [this.#thisFile])]),
    ];
    return {
      path,
      producer,
      opset,
      inputs: this.#inputs.filter(({ name }) => !this.#initializers.has(name)),
      outputs: this.#outputs,
      operators: this.#operators,
      weightBytes: this.#weightBytes,
      noises,
      model: (name, hints) => ({ name, graph, weights, hints }),
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
        const node = await this.#relocated('node', body);
        pieces.push(node === body ? raw : encodedField(nodeField, node));
        continue;
      }
      if (place.number === inputField) this.#inputs.push(readValueInfo(body));
      if (place.number === outputField) this.#outputs.push(readValueInfo(body));
      pieces.push(raw);
    }
    return pieces;
  }

  /** An initializer of the graph. Large values stay in the file. */
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
      if (number === 13 && body !== undefined && textField(body, 1) === 'length') external = Number(textField(body, 2));
    }
    this.#weightBytes.set(type, (this.#weightBytes.get(type) ?? 0) + inline + external);
    return isLarge ? message : this.#relocated('tensor', message);
  }

  async #withoutValues(tensor: FieldPlace): Promise<Uint8Array> {
    const pieces: Uint8Array[] = [];
    for await (const place of fieldsInFile(this.#file, tensor.body, tensor.end)) {
      if (place.number !== rawData || place.end - place.body < large) {
        pieces.push(await this.#bytes(place));
        continue;
      }
      this.#thisFile ??= await weightFile(this.#source, this.#file.path, this.#file.size);
      pieces.push(...externalFields(this.#thisFile.location, place.body, place.end - place.body));
    }
    return joined(pieces);
  }

  /** The message with its external locations as the backend knows them. */
  async #relocated(kind: MessageKind, message: Uint8Array): Promise<Uint8Array> {
    const found = new Set<string>();
    visit(kind, message, {
      operator: (name) => this.#operators.add(name),
      location: (location) => found.add(location),
    });
    if (found.size === 0) return message;
    for (const location of found) {
      if (!this.#locations.has(location)) {
        this.#locations.set(location, await externalFile(this.#source, this.#file.path, location));
      }
    }
    const names = [...this.#locations].map(([location, file]): [string, string] => [location, file.location]);
    return relocated(kind, message, new Map(names));
  }

  /** The outputs of the removed noise nodes. Their type defaults to that of the model's float inputs. */
  #noises(): RawTensorInfo[] {
    const defaultType = this.#inputs.find(({ type }) => type.startsWith('float'))?.type ?? 'float32';
    return this.#noiseNodes.map((node) => {
      let type = defaultType;
      for (const { number, body } of fieldsOf(node)) {
        if (number !== 5 || body === undefined || textField(body, 1) !== 'dtype') continue;
        for (const part of fieldsOf(body))
          if (part.number === 3 && part.value !== undefined) type = typeName(part.value);
      }
      return { name: textField(node, 2), type, dims: [] };
    });
  }

  async #bytes({ start, end }: FieldPlace): Promise<Uint8Array> {
    // A copy, so that a few bytes do not keep a whole block alive.
    return (await this.#file.read(start, end)).slice();
  }
}
