import { WireType } from '@bufbuild/protobuf/wire';
import {
  type Model,
  type ModelHints,
  type RawTensorInfo,
  readerBarrier,
  type Source,
  UnsupportedError,
} from '@sd/core';
import { type RandomAccess, randomAccess } from '../random-access.js';
import { weightFile } from '../weight-file.js';
import { expectAllowed } from './allowed-operators.js';
import { type CallCounts, countCall, expectExpandable } from './expansion.js';
import { type ExternalFile, externalFile, relativeFiles } from './external-file.js';
import { brokenOnnx, type FieldPlace, fieldsInFile, inBlocks } from './file-fields.js';
import {
  externalFields,
  functionName,
  type MessageKind,
  messageIn,
  operatorOf,
  RefusedField,
  relocated,
  visit,
} from './messages.js';
import { checkNode, constantsOf, divisorOf } from './node-checks.js';
import { checkTensor, type ExternalValues, hasMinusOne } from './tensor-checks.js';
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
const [tensorField, inputField, outputField] = [5, 11, 12];
const [dataType, tensorName, rawData] = [2, 8, 9];

/**
 * Opens an ONNX model, with or without external data. Its weights are not read: the graph that `model` returns points to
 * them, in this file or in its external data files. Throws a SourceError for a missing file, a CheckpointError for a
 * broken one or for external data outside its folder, and an UnsupportedError for operators or fields that no supported model
 * has.
 */
export function openOnnxFile(source: Source, path: string, options?: OpenOnnxOptions): Promise<OnnxFile> {
  return readerBarrier('openOnnxFile()', source, (source) => open(source, path, options));
}

async function open(source: Source, path: string, options: OpenOnnxOptions = {}): Promise<OnnxFile> {
  const file = inBlocks(await randomAccess(source, path));
  try {
    return await new Opening(source, file, options).open();
  } catch (error) {
    if (error instanceof RefusedField) {
      throw new UnsupportedError(
        `${path} ${error.message}, which no supported model needs. Export it again without that.`,
      );
    }
    // The wire reader throws plain errors.
    throw error instanceof RangeError || (error instanceof Error && error.constructor === Error)
      ? brokenOnnx(path, error.message, error)
      : error;
  }
}

/** Stands for this file in the tensors that are left in it. No location can have a NUL. */
const thisFile = '\0';

/** Collects everything about a file in one pass. */
class Opening {
  readonly #source: Source;
  readonly #file: RandomAccess;
  readonly #options: OpenOnnxOptions;
  readonly #locations = new Map<string, ExternalFile>();
  readonly #graphCalls: CallCounts = new Map();
  readonly #functions = new Map<string, CallCounts>();
  readonly #divisors = new Set<string>();
  readonly #minusOnes = new Set<string>();
  readonly #weightBytes = new Map<string, number>();
  readonly #inputs: RawTensorInfo[] = [];
  readonly #outputs: RawTensorInfo[] = [];
  readonly #initializers = new Set<string>();
  readonly #noiseNodes: Uint8Array[] = [];

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
      const kind = messageIn('model', place.number, place.type === WireType.LengthDelimited);
      if (kind === 'graph') {
        if (noises !== undefined) throw brokenOnnx(path, 'it has two graphs');
        const graph = await this.#graph(place);
        noises = this.#noises();
        const added = noises.map(({ name, type }) => encodedField(inputField, dynamicValueInfo(name, type)));
        pieces.push(encodedField(graphField, joined([...graph, ...added])));
        continue;
      }
      const raw = await this.#bytes(place);
      const [{ body = new Uint8Array() } = {}] = fieldsOf(raw);
      if (kind === 'function') await this.#function(body);
      else if (place.number === producerName || place.number === producerVersion) {
        producer = `${producer} ${new TextDecoder().decode(body)}`.trim();
      } else if (place.number === opsetField) {
        const domain = textField(body, 1);
        for (const part of fieldsOf(body)) if (domain === '' && part.number === 2) opset = part.value ?? 0;
      }
      pieces.push(raw);
    }
    if (noises === undefined) throw brokenOnnx(path, 'it has no graph');
    const operators = this.#checkedOperators();
    const { graph, weights } = this.#placed(joined(pieces));
    return {
      path,
      producer,
      opset,
      inputs: this.#inputs.filter(({ name }) => !this.#initializers.has(name)),
      outputs: this.#outputs,
      operators,
      weightBytes: this.#weightBytes,
      noises,
      model: (name, hints) => ({ name, graph, weights, hints }),
    };
  }

  async #graph(graph: FieldPlace): Promise<Uint8Array[]> {
    const pieces: Uint8Array[] = [];
    for await (const place of fieldsInFile(this.#file, graph.body, graph.end)) {
      const kind = messageIn('graph', place.number, place.type === WireType.LengthDelimited);
      if (kind === 'tensor') {
        pieces.push(encodedField(tensorField, await this.#initializer(place)));
        continue;
      }
      const raw = await this.#bytes(place);
      const [{ body = raw } = {}] = fieldsOf(raw);
      if (kind === 'node') {
        if (this.#options.noiseInputs && /^RandomNormal(Like)?$/.test(operatorOf(body))) {
          this.#noiseNodes.push(body);
          continue;
        }
        await this.#check('node', body, this.#graphCalls);
      }
      if (place.number === inputField) this.#inputs.push(readValueInfo(body));
      if (place.number === outputField) this.#outputs.push(readValueInfo(body));
      pieces.push(raw);
    }
    return pieces;
  }

  async #function(message: Uint8Array): Promise<void> {
    const name = functionName(message);
    const calls = this.#functions.get(name) ?? new Map();
    this.#functions.set(name, calls);
    await this.#check('function', message, calls);
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
    await this.#check('tensor', message, this.#graphCalls);
    return message;
  }

  async #withoutValues(tensor: FieldPlace): Promise<Uint8Array> {
    const pieces: Uint8Array[] = [];
    for await (const place of fieldsInFile(this.#file, tensor.body, tensor.end)) {
      if (place.number !== rawData || place.end - place.body < large) {
        pieces.push(await this.#bytes(place));
        continue;
      }
      const { path, size } = this.#file;
      if (!this.#locations.has(thisFile)) {
        this.#locations.set(thisFile, { file: await weightFile(this.#source, path, size), size });
      }
      pieces.push(...externalFields(thisFile, place.body, place.end - place.body));
    }
    return joined(pieces);
  }

  /** Checks all operators and tensors in a message, and finds the files of external tensors. */
  async #check(kind: MessageKind, message: Uint8Array, calls: CallCounts): Promise<void> {
    const { path } = this.#file;
    const external: ExternalValues[] = [];
    visit(kind, message, {
      node: (node) => {
        countCall(calls, operatorOf(node));
        checkNode(path, node);
        const divisor = divisorOf(node);
        if (divisor !== undefined) this.#divisors.add(divisor);
        if (operatorOf(node) === 'Constant' && constantsOf(node).some(hasMinusOne))
          this.#minusOnes.add(textField(node, 2));
      },
      tensor: (tensor) => {
        const values = checkTensor(path, tensor);
        if (values !== undefined) external.push(values);
        if (kind === 'tensor' && hasMinusOne(tensor)) this.#minusOnes.add(textField(tensor, tensorName));
      },
    });
    for (const { location, end } of external) {
      const { size } = this.#locations.get(location) ?? (await this.#externalFile(location));
      if (end > size) throw brokenOnnx(path, `it has values up to byte ${end} of ${location}, which has ${size} bytes`);
    }
  }

  async #externalFile(location: string): Promise<ExternalFile> {
    const found = await externalFile(this.#source, this.#file.path, location);
    this.#locations.set(location, found);
    return found;
  }

  /** The operators of the whole model, without its own functions. */
  #checkedOperators(): Set<string> {
    const { path } = this.#file;
    const called = [this.#graphCalls, ...this.#functions.values()].flatMap((calls) => [...calls.keys()]);
    const operators = new Set(called.filter((name) => !this.#functions.has(name)));
    expectAllowed(path, operators);
    expectExpandable(path, this.#graphCalls, this.#functions);
    // The least integer divided by -1 is an exception of the processor, which ends the process.
    const risky = [...this.#divisors].find((name) => this.#minusOnes.has(name));
    if (risky !== undefined) throw brokenOnnx(path, `it divides integers by the constant ${JSON.stringify(risky)}, -1`);
    return operators;
  }

  /** The model with the locations that the backend uses, and their files. */
  #placed(model: Uint8Array): Pick<Model, 'graph' | 'weights'> {
    const found = [...this.#locations];
    const files = relativeFiles(found.map(([, { file }]) => file));
    const names = new Map(found.map(([location], i) => [location, files[i].location]));
    const weights = files.filter(({ location }, i) => files.findIndex((file) => file.location === location) === i);
    const graph = relocated('model', model, names);
    // ONNX Runtime takes bytes with this mark for a model in its own format.
    if (new TextDecoder().decode(graph.subarray(4, 8)) === 'ORTM')
      throw brokenOnnx(this.#file.path, 'it is in ORT format');
    return { graph, weights };
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
