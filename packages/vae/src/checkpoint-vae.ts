import type { Vae } from '@sd/core';
import type { VaeConfig } from './config.js';
import type { TinyVaeConfig } from './tiny-vae-config.js';

/** An autoencoder from a checkpoint as a stage, and the names of the tensors in its files that it has no use for. */
export interface CheckpointVae extends Vae {
  readonly config: VaeConfig | TinyVaeConfig;
  readonly unusedTensors: readonly string[];
  encode: NonNullable<Vae['encode']>;
}
