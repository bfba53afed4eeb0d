import type { TensorView } from '@sd/weights';

/** Where a scope looks up tensors: a Checkpoint, or anything with these two methods. */
export interface TensorLookup {
  has(name: string): boolean;
  tensor(name: string, shape: readonly number[]): TensorView;
}

/** A module of the model: a prefix of the checkpoint's tensor names. */
export class Scope {
  readonly #checkpoint: TensorLookup;
  readonly #prefix: string;

  constructor(checkpoint: TensorLookup, prefix = '') {
    this.#checkpoint = checkpoint;
    this.#prefix = prefix;
  }

  /** The module's full name: `mid_block.resnets.0`. */
  get path(): string {
    return this.#prefix;
  }

  /** A module inside this one: `w.at('resnets', 0, 'conv1')`. */
  at(...path: (string | number)[]): Scope {
    return new Scope(this.#checkpoint, this.#full(path.join('.')));
  }

  /** Whether this module has a tensor or a submodule of this name. */
  has(name: string): boolean {
    return this.#checkpoint.has(this.#full(name));
  }

  /** A tensor of this module. See Checkpoint.tensor for `shape` and errors. */
  tensor(name: string, shape: readonly number[]): TensorView {
    return this.#checkpoint.tensor(this.#full(name), shape);
  }

  #full(name: string): string {
    return this.#prefix === '' ? name : `${this.#prefix}.${name}`;
  }
}
