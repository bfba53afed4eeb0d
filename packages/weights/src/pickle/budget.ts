import type { PickleBytes } from './bytes.js';

/**
 * The work that one pickle may ask for, in bytes that are read or copied. A checkpoint with its optimizer asks for some
 * ten million; a file of a few kilobytes could ask for any amount, since it may repeat and copy what it has made.
 */
export const mostWork = 2 ** 26;

/** The work of an instruction, of an item that is put into a container, and of a character of Python 2's strings, in bytes. */
const workOf = { instruction: 32, item: 32, character: 8 };

/** Counts the work of reading one pickle. Each method throws a CheckpointError beyond the limit. */
export class PickleBudget {
  spent = 0;
  readonly #bytes: PickleBytes;

  constructor(bytes: PickleBytes) {
    this.#bytes = bytes;
  }

  instruction(): void {
    this.spend(workOf.instruction);
  }

  items(count: number): void {
    this.spend(count * workOf.item);
  }

  characters(count: number): void {
    this.spend(count * workOf.character);
  }

  /** Whatever a function of the pickle may copy of its arguments. */
  copies(args: readonly unknown[]): void {
    this.items(args.length);
    for (const value of args) {
      if (typeof value === 'string' || value instanceof Uint8Array) this.spend(value.length);
      else if (Array.isArray(value)) this.items(value.length);
      else if (value instanceof Map || value instanceof Set) this.items(value.size);
    }
  }

  spend(work: number): void {
    this.spent += work;
    if (this.spent > mostWork) throw this.#bytes.bad('it asks for more work than any model needs');
  }
}
