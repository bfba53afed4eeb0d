import { checkOptional, type OptionTable, whole } from '@sd/core/options';
import type { LoadPipelineOptions } from '@sd/pipeline';
import type { ModelsOption } from './model-list.js';
import type { LoadEvent } from './model-pool.js';

export interface LocalEngineOptions {
  /** What can be drawn with: a folder of models, or a list; the embedded model by default. The first is the default model. */
  readonly models?: ModelsOption | undefined;
  /** Other names of models: `{ 'gpt-image-1': 'sdxl' }`, for clients that cannot choose. */
  readonly aliases?: Readonly<Record<string, string>> | undefined;
  /** A folder of LoRAs, which requests and prompts in A1111's syntax name. */
  readonly loras?: string | undefined;
  /** Options of `loadPipeline` for every model. */
  readonly load?: LoadPipelineOptions | undefined;
  /**
   * Bytes that the weights of loaded models may take together: to load another, the models used longest ago are freed. 60 %
   * of the machine's or container's memory by default.
   */
  readonly memoryBudget?: number | undefined;
  /** How many jobs are drawn at once, each by another model: 1 by default. More seldom help, since one takes all cores. */
  readonly concurrency?: number | undefined;
  /** How many jobs may wait; more are refused with a BusyError. 16 by default. */
  readonly maxWaiting?: number | undefined;
  /** Called after each attempt to load a model. */
  readonly onLoad?: ((event: LoadEvent) => void) | undefined;
}

const anObject = (option: string, value: unknown) =>
  checkOptional(option, value, typeof value === 'object' && value !== null, 'an object');

export const aFunction = (option: string, value: unknown) =>
  checkOptional(option, value, typeof value === 'function', 'a function');

export const localTable: OptionTable<LocalEngineOptions> = {
  models: {
    type: 'string | (string | { name, place, options })[]',
    default: 'the embedded model',
    text: 'A folder of models, or models one by one: what `loadPipeline` takes as a string, or an object that names it.',
    check: (option, value) =>
      checkOptional(option, value, typeof value === 'string' || Array.isArray(value), 'a folder or a list of models'),
  },
  aliases: { type: 'object', text: "Other names of models: `{ 'gpt-image-1': 'sdxl' }`.", check: anObject },
  loras: { type: 'string', text: 'A folder of LoRAs, which requests and prompts name.' },
  load: { type: 'object', text: 'Options of `loadPipeline` for every model.', check: anObject },
  memoryBudget: {
    type: 'number',
    default: '60 % of the memory',
    text: 'Bytes that loaded models may take; those used longest ago make room.',
    check: (option, value) =>
      checkOptional(option, value, typeof value === 'number' && value > 0, 'a number of bytes above 0'),
  },
  concurrency: { ...whole(1), default: '1', text: 'How many models draw at once.' },
  maxWaiting: { ...whole(0), default: '16', text: 'How many requests may wait.' },
  onLoad: { type: 'function', text: 'Called after each attempt to load a model.', check: aFunction },
};
