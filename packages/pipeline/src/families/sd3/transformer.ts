import { lazyImport, type NoisePredictor } from '@sd/core';
import { mmditConfigFromShapes } from '@sd/mmdit/single-file';
import type { Component } from '../family.js';

/** The multimodal diffusion transformer, in place of a U-Net. */
export const transformer: Component<NoisePredictor> = {
  name: 'transformer',
  classes: ['SD3Transformer2DModel'],
  load: async (from) => (await lazyImport(() => import('@sd/mmdit'))).loadMmdit(from),
  configFromShapes: (path, tensors, known) => ({ ...mmditConfigFromShapes(path, tensors), ...known }),
};
