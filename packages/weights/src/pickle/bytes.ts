import { CheckpointError } from '@sd/core';

/** Longest whole number, in bytes: more than any file has. */
const longestInteger = 256;

/** A place in a pickle's bytes; every read is checked against their end. */
export class PickleBytes {
  readonly path: string;
  position = 0;
  readonly #bytes: Uint8Array;
  readonly #view: DataView;
  readonly #text = new TextDecoder('utf-8', { fatal: true });

  constructor(path: string, bytes: Uint8Array) {
    this.path = path;
    this.#bytes = bytes;
    this.#view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  }

  take(count: number): Uint8Array {
    const start = this.#advance(count);
    return this.#bytes.subarray(start, start + count);
  }

  uint8 = (): number => this.#view.getUint8(this.#advance(1));
  uint16 = (): number => this.#view.getUint16(this.#advance(2), true);
  uint32 = (): number => this.#view.getUint32(this.#advance(4), true);
  int32 = (): number => this.#view.getInt32(this.#advance(4), true);
  /** Pickle's only number with its large end first. */
  float64 = (): number => this.#view.getFloat64(this.#advance(8));

  uint64(): number {
    const value = this.#view.getBigUint64(this.#advance(8), true);
    if (value > BigInt(Number.MAX_SAFE_INTEGER)) throw this.bad('a length in it is beyond all files');
    return Number(value);
  }

  /** A whole number in two's complement, its small end first: a number where it fits one. */
  integer(length: number): number | bigint {
    if (length > longestInteger) throw this.bad(`a whole number in it has ${length} bytes`);
    let value = 0n;
    const bytes = this.take(length);
    bytes.forEach((byte, i) => {
      value |= BigInt(byte) << BigInt(8 * i);
    });
    if (length > 0 && bytes[length - 1]! >= 0x80) value -= 1n << BigInt(8 * length);
    return Number.isSafeInteger(Number(value)) ? Number(value) : value;
  }

  text(length: number): string {
    const bytes = this.take(length);
    try {
      return this.#text.decode(bytes);
    } catch (cause) {
      throw this.bad('a text in it is not UTF-8', cause);
    }
  }

  /** Text of Python 2, a byte a character. */
  latin(length: number): string {
    return Array.from(this.take(length), (byte) => String.fromCharCode(byte)).join('');
  }

  line(): string {
    const end = this.#bytes.indexOf(0x0a, this.position);
    if (end < 0) throw this.bad('it ends in the middle');
    const line = this.text(end - this.position);
    this.position++;
    return line;
  }

  bad(problem: string, cause?: unknown): CheckpointError {
    return new CheckpointError(
      'bad-checkpoint',
      this.path,
      `its pickle is broken (byte ${this.position}): ${problem}. Download it again.`,
      { cause },
    );
  }

  #advance(count: number): number {
    const start = this.position;
    if (start + count > this.#bytes.length) throw this.bad('it ends in the middle');
    this.position += count;
    return start;
  }
}
