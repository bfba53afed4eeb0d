import {
  AbortError,
  type Backend,
  barrier,
  InvalidOptionError,
  isStageError,
  lazyImport,
  type Scheduler,
  show,
  typedError,
  type Warning,
} from '@sd/core';
import { type AdaptedStages, adaptedStages } from './attach/adapted-stages.js';
import type { Attachment, AttachResult } from './attach/attach.js';
import { type AttachOptions, checkAttachOptions } from './attach/attach-options.js';
import { attachedDefaults } from './attach/attached-defaults.js';
import { attentionOutputs } from './attach/attention-outputs.js';
import { type RunAdapters, readAdapters } from './attach/run-adapters.js';
import { createCallbackScope } from './callback-scope.js';
import type { RunDefaults, SchedulerDefaults } from './defaults/run-defaults.js';
import type { Composition } from './families/family.js';
import { compositionOf } from './families/index.js';
import type { GenerateResult, PipelineEvent } from './generate/events.js';
import type { DecodedImages } from './generate/initial/images.js';
import { checkMemory, type MemoryRequest } from './generate/memory.js';
import { modelTraits, withDefaults } from './generate/model-traits.js';
import { checkGenerateOptions, type GenerateOptions } from './generate/options/index.js';
import { type RequestContext, readRequest } from './generate/request.js';
import type { Place } from './load/locate.js';
import { machineMemory } from './machine-memory.js';
import { notifySteps } from './notify-steps.js';
import { createRequestQueue, type RequestQueue } from './request-queue.js';
import type { Stages } from './stages.js';

export interface CreatePipelineOptions extends Stages {
  /** How prompts and sizes condition the noise predictor; by default as in the family that the stages appear to belong to. */
  readonly composition?: Composition | undefined;
  /** The backend for the models of adapters that are attached later, such as a ControlNet. The caller disposes of it. */
  readonly backend?: Backend | undefined;
  /** The model's defaults, where they differ from its family's. */
  readonly defaults?: RunDefaults | undefined;
  /**
   * Creates the scheduler for a name that is passed as `generate({ scheduler })`, spaced as a distilled model or adapter
   * needs it.
   */
  readonly schedulerByName?: ((name: string, defaults?: SchedulerDefaults) => Scheduler) | undefined;
  /** Creates the scheduler that a distilled model or adapter needs; without it, all use the scheduler of the stages. */
  readonly schedulerWith?: ((defaults: SchedulerDefaults) => Scheduler) | undefined;
  /** Frees each stage after use and reloads it when needed: slower, for large models on machines with little memory. */
  readonly releaseStages?: boolean | undefined;
  /** Bytes of memory that a run may be expected to take, as the option of `loadPipeline`. */
  readonly memoryLimit?: number | undefined;
}

/**
 * Generates images from text. Runs one request at a time; others wait in the order of the calls, or, with images among their
 * options, in the order in which those were decoded.
 */
export interface Pipeline {
  readonly stages: Stages;
  /** Warnings from loading: components that were skipped, tensors that no stage uses. */
  readonly warnings: readonly Warning[];
  /**
   * Generates images. Rejects with an InvalidOptionError or TensorError for invalid options, before anything runs; with an
   * AbortError, a MemoryLimitError, a DisposedError, or whatever a stage throws.
   */
  generate(options: GenerateOptions): Promise<GenerateResult>;
  /**
   * The same run as a stream of events; the last, `done`, has what `generate` returns besides the images, and its return
   * value is the whole result. It starts at the first `next()`, and
   * advances as events are read. While another request waits, it advances by itself, so a slow reader does not block it:
   * a reader that is more than 100 steps behind then misses the oldest. Leaving the loop ends the run.
   */
  stream(options: GenerateOptions): AsyncGenerator<PipelineEvent, GenerateResult, void>;
  /**
   * Attaches an adapter, such as a LoRA or a ControlNet, without changing the model's weights. Waits for its turn among the
   * requests. The models that it changes get new sessions; changing its strength later does not need any.
   *
   * Rejects with a SourceError or CheckpointError for the file, an InvalidOptionError for a name that is taken or invalid
   * options, and an UnsupportedError for an adapter that is not supported. After an error nothing has changed.
   * @param file A file or folder: a path, URL, Blob or Source. `AttachOptions.path` names the file within a Source.
   */
  attach(file: Place, options?: AttachOptions): Promise<AttachResult>;
  /** Detaches the adapter of this name. Rejects with an InvalidOptionError if there is none. */
  detach(name: string): Promise<void>;
  /** The attached adapters. */
  readonly attached: readonly Attachment[];
  /** Ends the current request and all that wait with a DisposedError, and frees all stages. */
  dispose(): Promise<void>;
}

/**
 * Creates a pipeline from its stages: those of this library, or any objects that implement the interfaces. Throws an
 * InvalidOptionError for stages that do not fit together.
 */
export function createPipeline(options: CreatePipelineOptions): Pipeline {
  return guarded('createPipeline()', () => assemble(options));
}

function assemble(options: CreatePipelineOptions): Pipeline {
  const { backend, releaseStages = false, memoryLimit = machineMemory() } = options;
  const { textEncoders, noisePredictor, vae, previewVae, scheduler } = options;
  const stages: Stages = { textEncoders, noisePredictor, vae, previewVae, scheduler };
  const composition = options.composition ?? compositionOf(stages);
  const ownTraits = modelTraits(stages, composition);
  const adapted = adaptedStages(stages, composition);
  const addAttention = attentionOutputs(adapted, { load: !releaseStages });
  const queue = createRequestQueue();
  let disposed: Promise<void> | undefined;

  const callbacks = createCallbackScope();
  const checkCallable = () => {
    queue.checkOpen();
    callbacks.checkOutside();
  };

  async function* stream(options: GenerateOptions): AsyncGenerator<PipelineEvent, GenerateResult, void> {
    try {
      return yield* events(options);
    } catch (error) {
      throw typedError('generate()', error, isStageError);
    }
  }

  async function* events(options: GenerateOptions): AsyncGenerator<PipelineEvent, GenerateResult, void> {
    checkCallable();
    checkGenerateOptions(options, composition);
    const given = options.settings === undefined ? options : await withSettings(options);
    if (!Array.isArray(given.prompt)) return yield* streamOne(given);
    const { drawPrompts, isManyPrompts } = await lazyImport(() => import('./generate/many-prompts.js'));
    return yield* isManyPrompts(given) ? drawPrompts(given, streamOne) : streamOne(given);
  }

  async function* streamOne(given: GenerateOptions): AsyncGenerator<PipelineEvent, GenerateResult, void> {
    queue.checkOpen();
    // No await without images, so that such requests queue in the order of the calls.
    const decoded = given.image === undefined && given.mask === undefined ? {} : await decodeImages(given);
    const refuseTooLarge = (request: MemoryRequest) => checkMemory(request, adapted.stages, memoryLimit);
    const readNow = requestReader(given, decoded, { options, traits: ownTraits, adapted, checkMemory: refuseTooLarge });
    const run = async function* (signal: AbortSignal): AsyncGenerator<PipelineEvent, GenerateResult, void> {
      const { traits, read } = readNow();
      const request = { ...read, signal };
      const { batchOf, draw, parseRequest } = await lazyImport(() => import('./generate/index.js'));
      const prompts = await parseRequest(request);
      const adapters = await readAdapters(given, prompts.networks, adapted.adapters);
      refuseTooLarge({ ...read.memory, frames: adapters.frames ?? 1, batch: batchOf(prompts) });
      const attention = wantsMaps(given, adapters) ? await addAttention(signal) : undefined;
      const timings = { encode: 0, denoise: 0, decode: 0 };
      const run = { stages: adapted.stages, request, prompts, traits, adapters, attention, releaseStages, timings };
      return yield* draw(run);
    };
    return yield* queue.stream(readNow().read.signal, run, ({ type }) => type === 'step');
  }

  async function generate(given: GenerateOptions): Promise<GenerateResult> {
    try {
      const signals = [given?.signal, queue.closed];
      return await notifySteps(stream(given), { onStep: given?.onStep, callbacks, signals });
    } catch (error) {
      if (error instanceof AbortError) queue.checkOpen();
      throw error;
    }
  }

  return {
    get stages() {
      return adapted.stages;
    },
    get attached() {
      return adapted.adapters.map(({ name, kind }) => ({ name, kind }));
    },
    warnings: [],
    ...attachMethods(adapted, queue, { backend, load: !releaseStages, checkCallable }),
    stream,
    generate,
    dispose() {
      queue.close();
      disposed ??= guarded('dispose()', () => adapted.dispose());
      return disposed;
    },
  };
}

/** Whether a run asks for attention maps. Throws an InvalidOptionError for a clip, which has none. */
function wantsMaps({ attentionMaps = false }: GenerateOptions, { frames }: RunAdapters): boolean {
  if (attentionMaps !== false && frames !== undefined) {
    throw new InvalidOptionError('attentionMaps', 'is not supported for clips yet: detach the motion adapter.');
  }
  return attentionMaps !== false;
}

interface ReaderContext extends Pick<RequestContext, 'traits' | 'checkMemory'> {
  readonly options: CreatePipelineOptions;
  readonly adapted: AdaptedStages;
}

/**
 * Reads a request with the defaults of the adapters that are attached at the time of the call: they may be attached or
 * detached while the run waits for its turn. It is read again only if the defaults have changed.
 */
function requestReader(
  given: GenerateOptions,
  decoded: DecodedImages,
  { options, adapted, traits, checkMemory }: ReaderContext,
) {
  const readWith = (defaults: RunDefaults | undefined) => {
    const current = withDefaults(traits, defaults);
    const schedulerOf = schedulerChooser(options, defaults);
    return {
      defaults,
      traits: current,
      read: readRequest(given, { traits: current, decoded, schedulerOf, checkMemory }),
    };
  };
  let latest: ReturnType<typeof readWith> | undefined;
  return () => {
    const defaults = attachedDefaults(adapted.adapters, given.adapters) ?? options.defaults;
    if (latest === undefined || latest.defaults !== defaults) latest = readWith(defaults);
    return latest;
  };
}

/** The options with the settings of an image, which come after them. */
async function withSettings({ settings = {}, ...options }: GenerateOptions): Promise<GenerateOptions> {
  const { optionsFromSettings } = await lazyImport(() => import('./generate/settings.js'));
  const given = Object.entries(options).filter(([, value]) => value !== undefined);
  return { ...optionsFromSettings(settings), ...Object.fromEntries(given) } as GenerateOptions;
}

async function decodeImages(given: GenerateOptions): Promise<DecodedImages> {
  const { readImages } = await lazyImport(() => import('./generate/initial/images.js'));
  return readImages(given);
}

interface AttachContext {
  readonly backend: Backend | undefined;
  readonly load: boolean;
  /** Throws unless the pipeline can take a request. */
  checkCallable(): void;
}

/** A barrier that errors of custom stages pass. */
const guarded = <T>(entry: string, work: () => T): T => barrier(entry, work, isStageError);

/** `attach` and `detach`, which wait in the queue like runs. */
function attachMethods(
  adapted: AdaptedStages,
  queue: RequestQueue,
  { backend, load, checkCallable }: AttachContext,
): Pick<Pipeline, 'attach' | 'detach'> {
  return {
    attach: (file, options = {}) =>
      guarded('attach()', async () => {
        checkCallable();
        checkAttachOptions(options);
        return queue.run(options.signal, async (signal) => {
          const { attach } = await lazyImport(() => import('./attach/attach.js'));
          return attach(adapted, file, options, { signal, backend, load });
        });
      }),
    detach: (name) =>
      guarded('detach()', async () => {
        checkCallable();
        await queue.run(undefined, async (signal) => {
          const { detach } = await lazyImport(() => import('./attach/attach.js'));
          await detach(adapted, name, { signal, load });
        });
      }),
  };
}

/** Resolves the option `scheduler`: an object, a name, or by default the model's scheduler, as a distillation needs it. */
function schedulerChooser(
  { scheduler, schedulerByName, schedulerWith }: CreatePipelineOptions,
  { scheduler: defaults }: Partial<RunDefaults> = {},
) {
  return (choice: Scheduler | string | undefined): Scheduler => {
    if (choice === undefined) return (defaults && schedulerWith?.(defaults)) ?? scheduler;
    if (typeof choice !== 'string') return choice;
    if (schedulerByName !== undefined) return schedulerByName(choice, defaults);
    throw new InvalidOptionError(
      'scheduler',
      `is the name ${show(choice)}, but this pipeline has no schedulers by name: pass a scheduler object.`,
    );
  };
}
