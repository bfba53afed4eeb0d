import type { AdapterSettings } from '@sd/adapters';
import { abortSignal, checkOptional, checkOptions, type OptionRow, type OptionTable, oneOf } from '@sd/core/options';
import type { Composition } from '../../families/family.js';
import type { FamilyGenerateOptions } from '../../families/index.js';
import type { StepEvent } from '../events.js';
import { type AttentionMapOptions, attentionMapsRow } from './attention.js';
import { type GuidanceOptions, guidanceTable } from './guidance.js';
import { type InitialImageOptions, initialImageTable, type UpscaleOptions, upscaleRow } from './initial.js';
import { type PromptOptions, promptTable } from './prompts.js';
import { type SamplingOptions, samplingTable } from './sampling.js';

export interface OutputOptions {
  /** In pixels, a multiple of the VAE's scale factor; by default the initial image's, or the size that the model was trained on. */
  readonly width?: number | undefined;
  readonly height?: number | undefined;
  /** Generates the image again at a larger size, starting from the latents of the first pass. */
  readonly upscale?: UpscaleOptions | undefined;
  /** Whether the result has images, the default, or their latents, for another model to continue from. */
  readonly output?: 'images' | 'latents' | undefined;
  /**
   * Whether the result has a map for each word of the prompt, with the pixels that it drew (DAAM, arXiv 2210.04885); `true` for
   * all words over all steps and layers. For U-Nets from checkpoints; the images stay the same to the last bit.
   */
  readonly attentionMaps?: boolean | AttentionMapOptions | undefined;
  /**
   * Settings of attached adapters by their names: `{ watercolour: 0.8, edges: { image, strength: 0.7 } }`. An adapter that is
   * left out has its default settings: a LoRA acts at strength 1, a ControlNet not at all.
   */
  readonly adapters?: Readonly<Record<string, AdapterSettings | undefined>> | undefined;
  /** Aborts the run, which rejects with an AbortError at once. */
  readonly signal?: AbortSignal | undefined;
  /**
   * Called and awaited after every step; an error that it throws ends the run. It must not call `generate`, `stream`, `attach`
   * or `detach` of the same pipeline, which reject with an InvalidOptionError.
   */
  readonly onStep?: ((step: StepEvent) => void | Promise<void>) | undefined;
}

const outputTable: OptionTable<OutputOptions> = {
  width: {
    type: 'number',
    default: "the image's, else the model's",
    text: 'In pixels: a multiple of 8, of 16 for Stable Diffusion 3.',
  },
  height: {
    type: 'number',
    default: "the image's, else the model's",
    text: 'In pixels: a multiple of 8, of 16 for Stable Diffusion 3.',
  },
  upscale: upscaleRow,
  output: {
    ...oneOf('images', 'latents'),
    default: "'images'",
    text: 'What the result has: images, or their latents, for another model to continue from.',
  },
  attentionMaps: attentionMapsRow,
  adapters: {
    otherNames: ['loras', 'cross_attention_kwargs'],
    type: 'object',
    text: 'Settings of attached adapters, by name.',
  },
  signal: {
    otherNames: ['abortSignal'],
    ...abortSignal,
    text: 'Aborts the run: it rejects with an AbortError at once.',
  },
  onStep: {
    otherNames: ['callback', 'callback_on_step_end', 'onProgress'],
    type: 'function',
    text: 'Called and awaited after every step; if it throws, the run ends. `generate` only.',
    check: (option, value) => checkOptional(option, value, typeof value === 'function', 'a function'),
  },
};

export interface GenerateOptions
  extends PromptOptions,
    SamplingOptions,
    GuidanceOptions,
    InitialImageOptions,
    OutputOptions,
    FamilyGenerateOptions {}

/** All options of `generate` by group, for checks and documentation; families add further ones. */
export const generateTables = {
  prompts: promptTable,
  sampling: samplingTable,
  guidance: guidanceTable,
  'initial image': initialImageTable,
  output: outputTable,
} as const;

/** Checks each option by itself: its name and its value. Throws an InvalidOptionError. */
export function checkGenerateOptions(options: GenerateOptions, { options: familyTable }: Composition): void {
  const table: Record<string, OptionRow> = Object.assign({}, ...Object.values(generateTables), familyTable);
  checkOptions(options, table, { of: 'generate()' });
}
