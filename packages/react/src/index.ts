'use client';

export type { ModelOptions } from './shared/model.js';
export {
  type Diffusion,
  DiffusionProvider,
  type DiffusionProviderProps,
  type UseDiffusionOptions,
  useDiffusion,
} from './use-diffusion.js';
