import { CheckpointError } from '@sd/core';
import type { RandomAccess } from '../random-access.js';

/** A tensor as the header lists it. */
export interface GgufTensor {
  readonly name: string;
  /** In torch's order. */
  readonly shape: readonly number[];
  /** ggml's number of its type. */
  readonly type: number;
  /** First byte, from the start of the data. */
  readonly offset: number;
}

export interface GgufHeader {
  /** Numbers, texts and short lists of numbers by their keys. Long lists, such as vocabularies, are left out. */
  readonly metadata: ReadonlyMap<string, string | number | boolean | readonly number[]>;
  readonly tensors: readonly GgufTensor[];
  /** First byte of the data. */
  readonly dataStart: number;
}

/** Bytes read first, and the limit: a U-Net's header takes some 100 kB, that of a language model a few MB. */
const firstLength = 2 ** 18;
const longestHeader = 2 ** 27;
const mostTensors = 2 ** 17;
const longestList = 16;
const defaultAlignment = 32;

/** Bytes of numbers by ggml's number of their type; 8 is a text and 9 a list. */
const widths = [1, 1, 2, 2, 4, 4, 4, 1, 0, 0, 8, 8, 8];

/**
 * Reads the header of a GGUF file, as much of the file as it takes.
 * @see github.com/ggml-org/ggml, docs/gguf.md
 */
export async function readGgufHeader(file: RandomAccess): Promise<GgufHeader> {
  for (let length = firstLength; ; length *= 4) {
    const bytes = await file.read(0, Math.min(length, file.size));
    try {
      return new HeaderReader(file.path, bytes).header();
    } catch (error) {
      if (error !== tooShort) throw error;
      if (bytes.length === file.size || length > longestHeader) throw broken(file.path, 'its header is cut off');
    }
  }
}

/** Thrown if the header continues after the bytes that were read. */
const tooShort = new RangeError('The header continues.');

class HeaderReader {
  readonly #path: string;
  readonly #view: DataView;
  #position = 4;

  constructor(path: string, bytes: Uint8Array) {
    this.#path = path;
    this.#view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  }

  header(): GgufHeader {
    const version = this.#uint32();
    if (version !== 2 && version !== 3) throw broken(this.#path, `its version of GGUF is ${version}, not 2 or 3`);
    const [tensorCount, keyCount] = [this.#count(), this.#count()];
    if (tensorCount > mostTensors || keyCount > mostTensors)
      throw broken(this.#path, 'its header has too many entries');
    const metadata = new Map<string, string | number | boolean | readonly number[]>();
    for (let i = 0; i < keyCount; i++) {
      const key = this.#text();
      const value = this.#value(this.#uint32());
      if (value !== undefined) metadata.set(key, value);
    }
    const tensors = Array.from({ length: tensorCount }, () => this.#tensor());
    const alignment = metadata.get('general.alignment') ?? defaultAlignment;
    if (typeof alignment !== 'number' || alignment < 1) throw broken(this.#path, 'its alignment is not a number');
    return { metadata, tensors, dataStart: Math.ceil(this.#position / alignment) * alignment };
  }

  #tensor(): GgufTensor {
    const name = this.#text();
    const axes = this.#uint32();
    if (axes > 8) throw broken(this.#path, `the tensor ${name} has ${axes} axes`);
    const sizes = Array.from({ length: axes }, () => this.#count());
    return { name, shape: sizes.reverse(), type: this.#uint32(), offset: this.#count() };
  }

  #value(type: number): string | number | boolean | readonly number[] | undefined {
    if (type === 8) return this.#text();
    if (type === 9) return this.#list();
    const width = widths[type];
    if (width === undefined) throw broken(this.#path, `its header has a value of the unknown type ${type}`);
    const at = this.#advance(width);
    if (type === 7) return this.#view.getUint8(at) !== 0;
    return numberAt(this.#view, at, type);
  }

  #list(): readonly number[] | undefined {
    const type = this.#uint32();
    const count = this.#count();
    if (type === 9) throw broken(this.#path, 'its header has a list of lists');
    if (type === 8 || count > longestList) {
      if (type !== 8) this.#advance(count * (widths[type] ?? 0));
      else for (let i = 0; i < count; i++) this.#advance(this.#count());
      return undefined;
    }
    const values = Array.from({ length: count }, () => this.#value(type));
    return values.filter((value) => typeof value === 'number');
  }

  #uint32 = (): number => this.#view.getUint32(this.#advance(4), true);

  #count(): number {
    const value = this.#view.getBigUint64(this.#advance(8), true);
    if (value > BigInt(Number.MAX_SAFE_INTEGER)) throw broken(this.#path, 'its header has an impossible size');
    return Number(value);
  }

  #text(): string {
    const length = this.#count();
    const at = this.#advance(length);
    return new TextDecoder().decode(new Uint8Array(this.#view.buffer, this.#view.byteOffset + at, length));
  }

  #advance(count: number): number {
    const at = this.#position;
    if (at + count > this.#view.byteLength) throw tooShort;
    this.#position += count;
    return at;
  }
}

/** A number by ggml's number of its type; those of 64 bits may lose precision. */
function numberAt(view: DataView, at: number, type: number): number {
  const readers = [
    () => view.getUint8(at),
    () => view.getInt8(at),
    () => view.getUint16(at, true),
    () => view.getInt16(at, true),
    () => view.getUint32(at, true),
    () => view.getInt32(at, true),
    () => view.getFloat32(at, true),
  ];
  const long = [() => view.getBigUint64(at, true), () => view.getBigInt64(at, true), () => view.getFloat64(at, true)];
  return Number((readers[type] ?? long[type - 10])());
}

export function broken(path: string, problem: string): CheckpointError {
  return new CheckpointError('bad-checkpoint', path, `${problem}. Download it again.`);
}
