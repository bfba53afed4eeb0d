import {
  type Backend,
  InvalidOptionError,
  type NoisePredictor,
  type Scheduler,
  type TextEncoder,
  type Tokenizer,
  type Vae,
} from '@sd/core';
import {
  abortSignal,
  checkOptional,
  checkOptions,
  flag,
  type OptionTable,
  oneOf,
  text,
  withMethod,
} from '@sd/core/options';
import type { FilePrediction } from '../families/family.js';
import { type DeviceOptions, devices, dtypes } from '../platform/device.js';
import { type HubPlaceOptions, hubTable } from './hub-options.js';
import type { Place } from './locate.js';

export interface LoadPipelineOptions extends HubPlaceOptions, DeviceOptions {
  /**
   * Where graphs run. By default one is created for this environment and disposed with the pipeline; one that is given must
   * be disposed by the caller.
   */
  readonly backend?: Backend | undefined;
  /**
   * Replaces components of the model, by diffusers' names: `unet`, `transformer`, `vae`, `text_encoder`, `tokenizer_2`,
   * `scheduler`; and `preview_vae`, a tiny autoencoder (TAESD) for previews. Each is a stage object or, for the noise
   * predictor and the VAEs, files: the component's folder, a file with it alone in either layout, or a whole model in one
   * file. The model's files for a replaced component need not exist. Null omits a component that the family can do without.
   */
  readonly components?: Readonly<Record<string, ReplacedComponent | undefined>> | undefined;
  /** The file of a Source that is the whole model; by default, the Source is a folder in diffusers' layout. */
  readonly path?: string | undefined;
  /** The variant of the weights to prefer, as in `model.fp16.safetensors`: `fp16`. */
  readonly variant?: string | undefined;
  /** Loads each stage when it is needed and frees it after use: slower, for large models on small machines. */
  readonly releaseStages?: boolean | undefined;
  /**
   * The most bytes that a run may be expected to take, besides the weights. Default: the memory of the machine or container;
   * in a browser, what it reports or 4 GiB. A larger run is refused before anything is allocated; Infinity refuses none.
   */
  readonly memoryLimit?: number | undefined;
  /**
   * For a model in one file: a folder in diffusers' layout. The files that it has (`unet/config.json`, `scheduler/`,
   * `tokenizer/` and so on) are used in place of the family's.
   */
  readonly config?: Place | undefined;
  /** For a model in one file: what it predicts, if the file does not say so correctly. */
  readonly prediction?: FilePrediction | undefined;
  readonly signal?: AbortSignal | undefined;
}

/** A replacement for a component of the model: a stage, the location of its files, or null to omit it. */
export type ReplacedComponent =
  | Place
  | Tokenizer
  | TextEncoder
  | NoisePredictor
  | Vae
  | Pick<Vae, 'decode'>
  | Scheduler
  | null;

export const loadTable: OptionTable<LoadPipelineOptions> = {
  backend: {
    type: 'Backend',
    default: 'created for Node or the browser',
    text: 'Where graphs run. You dispose of a backend that you pass.',
    ...withMethod('load', 'an object with load(model), as createNodeBackend() makes'),
  },
  device: {
    otherNames: ['provider', 'executionProviders', 'device_map'],
    ...oneOf(...devices),
    default: "'cpu'; in browsers 'auto'",
    text: 'Where models run. `auto` is a graphics card if one starts, otherwise the processor, with a warning that says why.',
  },
  dtype: {
    otherNames: ['torch_dtype', 'precision'],
    ...oneOf(...dtypes),
    default: "'float32'; on WebGPU in browsers 'float16'",
    text: 'The precision to compute in, whatever that of the files is.',
  },
  components: {
    type: 'object',
    default: "the model's",
    text: "Replaces components of the model, by diffusers' names, with your own stages or other files.",
    check: (option, value) =>
      checkOptional(
        option,
        value,
        typeof value === 'object' && value !== null,
        'an object of stages and files by name',
      ),
  },
  path: { ...text, text: 'The file inside a `Source` that is the whole model.' },
  variant: { ...text, text: "The variant of the weights to prefer: `'fp16'` for `model.fp16.safetensors`." },
  releaseStages: {
    otherNames: ['low_cpu_mem_usage', 'lowvram'],
    ...flag,
    default: 'false',
    text: 'Loads each stage when it is needed and frees it afterwards: slower, for large models on small machines.',
  },
  memoryLimit: {
    type: 'number',
    default: "the machine's memory",
    text: 'Bytes that a run may be expected to take besides the weights; one that would take more is refused before it starts.',
    check: (option, value) =>
      checkOptional(option, value, typeof value === 'number' && value > 0, 'a number of bytes above 0'),
  },
  config: {
    type: 'string | URL | Source',
    text: "For a single file: a folder in diffusers' layout whose configs, tokenizers and scheduler replace the family's.",
  },
  prediction: {
    ...oneOf('epsilon', 'v', 'flow'),
    text: 'For a single file: what the model predicts, if the file does not say so.',
  },
  ...hubTable,
  signal: { ...abortSignal, text: 'Aborts loading.' },
};

/** Throws an InvalidOptionError for unknown or impossible options; locations are checked when they are opened. */
export function checkLoadOptions(options: LoadPipelineOptions): void {
  checkOptions(options, loadTable, { of: 'loadPipeline()' });
  const { backend, device, dtype } = options;
  const chosen = device === undefined ? dtype && 'dtype' : 'device';
  if (backend === undefined || chosen === undefined) return;
  throw new InvalidOptionError(chosen, 'has no effect with `backend`, which has its own. Give one of them.');
}
