import { type Backend, barrier, lazyImport } from '@sd/core';
import { type ModelFolder, type ModelParts, openModel } from '@sd/weights';
import type { CheckpointVae } from './checkpoint-vae.js';
import { vaeConfig } from './config.js';
import { klVae } from './kl-vae.js';
import { vaeNames } from './names/diffusers.js';

/** The backend, and the model: a folder (`vae` by default), or its weights and config. */
export type LoadVaeOptions = { readonly backend: Backend } & (ModelFolder | ModelParts);

/**
 * Opens an autoencoder in diffusers' layout (`config.json`, `diffusion_pytorch_model.safetensors`) and writes the graphs
 * of its two halves: an `AutoencoderKL` or an `AutoencoderTiny` (TAESD), by the config's `_class_name`. The decoder's
 * session is created at first use or by `load()`, the encoder's at first use.
 * Throws SourceError, CheckpointError, UnsupportedError.
 */
export function loadVae(options: LoadVaeOptions): Promise<CheckpointVae> {
  return barrier('loadVae()', () => load(options));
}

async function load({ backend, ...from }: LoadVaeOptions): Promise<CheckpointVae> {
  const stems = ['diffusion_pytorch_model', 'model'];
  await backend.ready?.();
  const { checkpoint, config } = await openModel(from, { folder: 'vae', stems, names: vaeNames });
  config.only('_class_name', 'AutoencoderKL', 'AutoencoderTiny');
  if (config.get('_class_name') !== 'AutoencoderTiny') return klVae(backend, checkpoint, vaeConfig(config));
  const { tinyVae, tinyVaeConfig } = await lazyImport(() => import('./tiny-vae.js'));
  return tinyVae(backend, checkpoint, tinyVaeConfig(config));
}
