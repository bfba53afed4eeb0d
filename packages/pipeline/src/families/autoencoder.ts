import { lazyImport, type Vae } from '@sd/core';
import { originalVaeNames, vaeConfigFromShapes, vaeNames } from '@sd/vae/single-file';
import { renameTensors } from '@sd/weights';
import type { Component, FilePart } from './family.js';

/** A family's autoencoder; its latents are multiplied by `scalingFactor`. */
export function autoencoder(scalingFactor: number): Component<Vae> {
  return {
    name: 'vae',
    classes: ['AutoencoderKL', 'AutoencoderTiny'],
    load: async (from) => (await lazyImport(() => import('@sd/vae'))).loadVae(from),
    settings: async () => (await lazyImport(() => import('@sd/vae'))).vaeSettings,
    loadOnnx: async ({ backend, source }) =>
      (await lazyImport(() => import('@sd/vae/onnx'))).loadOnnxVae({ backend, source, scalingFactor }),
    configFromShapes: vaeConfigFromShapes,
  };
}

/** An autoencoder in a single file, under the original names or diffusers'. */
export const autoencoderPart = (mark: string): FilePart => ({
  mark,
  component: 'vae',
  translate(path, tensors) {
    const named = renameTensors(path, tensors, originalVaeNames(tensors.keys()));
    return renameTensors(path, named, vaeNames);
  },
});

/** Files that hold only an autoencoder, by a tensor that each of them has. */
export const autoencoderAlone: readonly FilePart[] = [
  autoencoderPart('decoder.up.0.block.0.conv1.weight'),
  autoencoderPart('decoder.up_blocks.0.resnets.0.conv1.weight'),
];
