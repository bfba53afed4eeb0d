import { type Backend, InvalidOptionError, isCheckpointStage, UnsupportedError } from '@sd/core';
import type { CheckpointUnet, UnetConfig } from '@sd/unet';
import type { Checkpoint, WeightsFile } from '@sd/weights';
import type { AdapterFile, AttachContext } from './adapter.js';

/** Where an adapter's own model runs. Throws an InvalidOptionError for a pipeline that was made without a backend. */
export function requireBackend({ backend }: AttachContext, what: string): Backend {
  if (backend !== undefined) return backend;
  throw new InvalidOptionError('backend', `is needed by createPipeline, for ${what} to run on.`);
}

/** The config of the model's U-Net, which an adapter must fit. Throws an InvalidOptionError for any other noise predictor. */
export function requireUnet({ model: { noisePredictor, noisePredictorComponent } }: AttachContext): UnetConfig {
  if (noisePredictorComponent !== 'unet') {
    throw new InvalidOptionError('attach', `is for a model with a U-Net; this one has a ${noisePredictorComponent}.`);
  }
  if (isCheckpointStage(noisePredictor)) return noisePredictor.config as UnetConfig;
  throw new InvalidOptionError('attach', 'needs a U-Net that was loaded from a checkpoint, not one of your own.');
}

/** The weights of the model's U-Net, for an adapter that shares them. Throws an InvalidOptionError for a stage without any. */
export function requireUnetCheckpoint({ model: { noisePredictor } }: AttachContext): Checkpoint {
  if ('checkpoint' in noisePredictor) return (noisePredictor as CheckpointUnet).checkpoint;
  throw new InvalidOptionError('attach', 'needs a U-Net that gives its checkpoint, as those of loadUnet do.');
}

/** The file's tensors. Throws an UnsupportedError for a folder or an ONNX file. */
export function requireWeights({ weights, source, path, name }: AdapterFile): WeightsFile {
  if (weights !== undefined) return weights;
  throw new UnsupportedError(
    `${fileTitle({ source, path, name })} is not a file of weights: such adapters are .safetensors, .pt or .bin files.`,
  );
}

/** What messages call a file or folder. */
export function fileTitle({ source, path, name }: Pick<AdapterFile, 'source' | 'path' | 'name'>): string {
  return path === '' ? (source.name ?? name) : path;
}
