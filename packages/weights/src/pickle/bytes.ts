import { CheckpointError } from '@sd/core';

/** Limit on an integer, in bytes: more than any real file uses. */
const longestInteger = 256;

/** A cursor over a pickle's bytes. Every read is bounds-checked. */
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
  /** Big-endian: the only such number in a pickle. */
  float64 = (): number => this.#view.getFloat64(this.#advance(8));

  uint64(): number {
    const value = this.#view.getBigUint64(this.#advance(8), true);
    if (value > BigInt(Number.MAX_SAFE_INTEGER)) throw this.bad('it contains an impossible length');
    return Number(value);
  }

  /** A little-endian integer in two's complement: a number if it is safe, otherwise a bigint. */
  integer(length: number): number | bigint {
    if (length > longestInteger) throw this.bad(`it contains an integer of ${length} bytes`);
    let value = 0n;
    const bytes = this.take(length);
    bytes.forEach((byte, i) => {
      value |= BigInt(byte) << BigInt(8 * i);
    });
    if (length > 0 && bytes[length - 1] >= 0x80) value -= 1n << BigInt(8 * length);
    return Number.isSafeInteger(Number(value)) ? Number(value) : value;
  }

  text(length: number): string {
    const bytes = this.take(length);
    try {
      return this.#text.decode(bytes);
    } catch (cause) {
      throw this.bad('it contains a string that is not UTF-8', cause);
    }
  }

  /** A string of Python 2: one byte per character. */
  latin(length: number): string {
    const bytes = this.take(length);
    let text = '';
    for (let at = 0; at < bytes.length; at += 8192) text += String.fromCharCode(...bytes.subarray(at, at + 8192));
    return text;
  }

  line(): string {
    const end = this.#bytes.indexOf(0x0a, this.position);
    if (end < 0) throw this.bad('it ends too early');
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
    if (start + count > this.#bytes.length) throw this.bad('it ends too early');
    this.position += count;
    return start;
  }
}
