import { type Backend, InvalidOptionError } from '@sd/core';
import { checkNames, checkOptional, checkSignal } from '../checks.js';
import type { Stages } from '../stages.js';
import type { Place } from './locate.js';
import type { SingleFileOptions } from './single-file/open.js';

export interface LoadPipelineOptions extends SingleFileOptions {
  /** Where graphs run. Made for this environment if left out, and then disposed with the pipeline; one that is given stays the caller's. */
  readonly backend?: Backend;
  /** Stages in place of the model's own; their files need not be there. With a scheduler, `generate` knows no others by name. */
  readonly stages?: Partial<Stages>;
  /** A VAE to make previews with, in the ways of `vae`: a tiny autoencoder (TAESD). */
  readonly previewVae?: Place;
  /** Which file of a Source is the whole model; without it, the Source is a folder in diffusers' layout. */
  readonly path?: string;
  /** A U-Net in place of the model's own: a folder, a file of it alone in either layout, or a whole model in one file. */
  readonly unet?: Place;
  /** A VAE in place of the model's own, in the same ways; a tiny autoencoder too. */
  readonly vae?: Place;
  /** The variant of the weights to prefer, as in `model.fp16.safetensors`: `fp16`. */
  readonly variant?: string;
  /** Loads each stage when it is needed and frees it after its use: slower, for large models on small machines. */
  readonly releaseStages?: boolean;
  readonly signal?: AbortSignal;
}

const known = [
  'backend',
  'stages',
  'previewVae',
  'path',
  'unet',
  'vae',
  'variant',
  'releaseStages',
  'signal',
  'config',
  'prediction',
] satisfies (keyof LoadPipelineOptions)[];

const stageNames = [
  'tokenizer',
  'textEncoder',
  'tokenizer2',
  'textEncoder2',
  'unet',
  'vae',
  'previewVae',
  'scheduler',
] satisfies (keyof Stages)[];

/** Throws an InvalidOptionError for options that are unknown or cannot be; places are looked at when they are opened. */
export function checkLoadOptions(options: LoadPipelineOptions): void {
  checkNames('loadPipeline', options, known);
  const { backend, stages = {}, path, variant, releaseStages, signal } = options;
  checkOptional(
    'backend',
    backend,
    typeof backend?.load === 'function',
    'an object with load(model), as createNodeBackend() makes',
  );
  checkOptional('path', path, typeof path === 'string', 'a string');
  checkOptional('variant', variant, typeof variant === 'string', 'a string');
  checkOptional('releaseStages', releaseStages, typeof releaseStages === 'boolean', 'true or false');
  checkSignal(signal);
  for (const name of Object.keys(stages)) {
    if (stageNames.some((stage) => stage === name)) continue;
    throw new InvalidOptionError(`stages.${name}`, `is no stage. There are ${stageNames.join(', ')}.`);
  }
}
