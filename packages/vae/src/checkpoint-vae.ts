import type { Vae } from '@sd/core';
import type { VaeConfig } from './config.js';
import type { TinyVaeConfig } from './tiny-vae-config.js';

/** The stage over an autoencoder's checkpoint. */
export interface CheckpointVae extends Vae {
  readonly config: VaeConfig | TinyVaeConfig;
  /** Names of tensors in the files that the graphs do not use. */
  readonly unusedTensors: readonly string[];
  encode: NonNullable<Vae['encode']>;
}
