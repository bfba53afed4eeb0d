import type { TensorView } from '@sd/weights';

/** Where a scope looks tensors up: a Checkpoint, or anything that answers as one does. */
export interface TensorLookup {
  has(name: string): boolean;
  tensor(name: string, shape: readonly number[]): TensorView;
}

/** A place in a checkpoint's names: a module of the model. */
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

  /** Has the checkpoint anything of this name here? */
  has(name: string): boolean {
    return this.#checkpoint.has(this.#full(name));
  }

  /** A tensor of this module; see Checkpoint.tensor for the shape and the errors. */
  tensor(name: string, shape: readonly number[]): TensorView {
    return this.#checkpoint.tensor(this.#full(name), shape);
  }

  #full(name: string): string {
    return this.#prefix === '' ? name : `${this.#prefix}.${name}`;
  }
}
