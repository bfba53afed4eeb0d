import { type Backend, DisposedError, InvalidOptionError, type Scheduler, type Warning } from '@sd/core';
import { adaptedStages } from './attach/adapted-stages.js';
import type { Attachment, AttachResult } from './attach/attach.js';
import { type AttachOptions, checkAttachOptions } from './attach/attach-options.js';
import { readAdapters } from './attach/run-adapters.js';
import type { Composition } from './families/family.js';
import { compositionOf } from './families/index.js';
import type { GenerateResult, PipelineEvent } from './generate/events.js';
import { readImages } from './generate/initial/images.js';
import { modelTraits } from './generate/model-traits.js';
import { checkGenerateOptions, type GenerateOptions } from './generate/options/index.js';
import { parseRequest } from './generate/parse-request.js';
import { namedNetworks } from './generate/prompts/index.js';
import { readRequest } from './generate/request.js';
import { draw } from './generate/run.js';
import type { Place } from './load/locate.js';
import { createMutex } from './mutex.js';
import { notifySteps } from './notify-steps.js';
import type { Stages } from './stages.js';

export interface CreatePipelineOptions extends Stages {
  /** How texts and sizes condition the noise predictor: by default that of the family that the stages look like. */
  readonly composition?: Composition | undefined;
  /** Where the models of adapters run that are attached later, such as a ControlNet. It stays the caller's. */
  readonly backend?: Backend | undefined;
  /** Makes a scheduler from the name that `generate({ scheduler })` was given. */
  readonly schedulerByName?: ((name: string) => Scheduler) | undefined;
  /** Frees each stage after its use, and loads it again when it is next needed: slower, for large models on small machines. */
  readonly releaseStages?: boolean | undefined;
}

/**
 * Draws images from texts. One request runs at a time; others wait for their turn, in the order in which their initial
 * images, if any, were decoded.
 */
export interface Pipeline {
  readonly stages: Stages;
  /** What loading has to say: components that were skipped, tensors that no stage uses. */
  readonly warnings: readonly Warning[];
  /**
   * Draws images. Rejects with an InvalidOptionError or TensorError for impossible options, before anything runs; with an
   * AbortError, a DisposedError, or what a stage throws.
   */
  generate(options: GenerateOptions): Promise<GenerateResult>;
  /**
   * The same run, event by event; its return value is what `generate` gives. It starts at the first `next()`, and goes on
   * only as events are taken. Leaving the loop ends the run.
   */
  stream(options: GenerateOptions): AsyncGenerator<PipelineEvent, GenerateResult, void>;
  /**
   * Attaches an adapter, which changes how the model draws without a change to its weights: a LoRA, a ControlNet. Waits for
   * its turn among the requests. Sessions are made anew for the models that it changes, and not when its strength changes.
   *
   * Rejects with a SourceError or CheckpointError for the file, an InvalidOptionError for a name that is taken or options
   * that are unknown or impossible, an UnsupportedError for what is not supported; then nothing has changed.
   * @param file A path, URL, Blob or Source: of a folder, or of a file as `AttachOptions.path` says.
   */
  attach(file: Place, options?: AttachOptions): Promise<AttachResult>;
  /** Detaches what was attached by that name. Rejects with an InvalidOptionError if nothing was. */
  detach(name: string): Promise<void>;
  readonly attached: readonly Attachment[];
  /** Ends the current run and those that wait with a DisposedError, and frees all stages. */
  dispose(): Promise<void>;
}

/** Composes stages into a pipeline. They may be of this library or any objects that meet the interfaces. */
export function createPipeline(options: CreatePipelineOptions): Pipeline {
  const { backend, schedulerByName, releaseStages = false } = options;
  const { textEncoders, noisePredictor, vae, previewVae, scheduler } = options;
  const stages: Stages = { textEncoders, noisePredictor, vae, previewVae, scheduler };
  const composition = options.composition ?? compositionOf(stages);
  const traits = modelTraits(stages, composition);
  const adapted = adaptedStages(stages, composition);
  const mutex = createMutex();
  const end = new AbortController();
  let disposing: Promise<void> | undefined;

  const refuseDisposed = () => {
    if (disposing !== undefined) throw new DisposedError('The pipeline');
  };

  /** Runs an action in its turn, and none once the pipeline is disposed. */
  async function* inTurn<Event, Result>(
    signal: AbortSignal | undefined,
    action: (signal: AbortSignal) => AsyncGenerator<Event, Result, void>,
  ): AsyncGenerator<Event, Result, void> {
    const either = AbortSignal.any([end.signal, ...(signal === undefined ? [] : [signal])]);
    try {
      const release = await mutex.acquire(either);
      try {
        return yield* action(either);
      } finally {
        release();
      }
    } catch (error) {
      // A stage of the caller's may reject with an AbortError of the platform's.
      const isEnd = error instanceof DisposedError || (error instanceof Error && error.name === 'AbortError');
      throw end.signal.aborted && isEnd ? new DisposedError('The pipeline') : error;
    }
  }

  const changeInTurn = async <T>(signal: AbortSignal | undefined, change: (signal: AbortSignal) => Promise<T>) => {
    // biome-ignore lint/correctness/useYield: a change of what is attached has no events
    const turn = inTurn(signal, async function* (either): AsyncGenerator<never, T, void> {
      return change(either);
    });
    return (await turn.next()).value as T;
  };

  async function* stream(given: GenerateOptions): AsyncGenerator<PipelineEvent, GenerateResult, void> {
    refuseDisposed();
    checkGenerateOptions(given, composition);
    // Without images to decode, turns are taken in the order of the calls.
    const read = given.image === undefined && given.mask === undefined ? {} : await readImages(given);
    const request = readRequest(given, {
      traits,
      read,
      schedulerOf: chooseScheduler(scheduler, schedulerByName),
    });
    return yield* inTurn(request.signal, async function* (signal) {
      const prompts = await parseRequest(request);
      const adapters = await readAdapters(given, namedNetworks(prompts), adapted.adapters);
      return yield* draw({
        stages: adapted.stages,
        request: { ...request, signal },
        prompts,
        traits,
        adapters,
        releaseStages,
        timings: { encode: 0, denoise: 0, decode: 0 },
      });
    });
  }

  return {
    get stages() {
      return adapted.stages;
    },
    get attached() {
      return adapted.adapters.map(({ name, kind }) => ({ name, kind }));
    },
    warnings: [],
    async attach(file, options = {}) {
      refuseDisposed();
      checkAttachOptions(options);
      return changeInTurn(options.signal, async (signal) => {
        const { attach } = await import('./attach/attach.js');
        return attach(adapted, file, { ...options, signal }, { backend, load: !releaseStages });
      });
    },
    async detach(name) {
      refuseDisposed();
      await changeInTurn(undefined, async (signal) => {
        const { detach } = await import('./attach/attach.js');
        await detach(adapted, name, { signal, load: !releaseStages });
      });
    },
    stream,
    generate: (given) => notifySteps(stream(given), given?.onStep),
    dispose() {
      disposing ??= (async () => {
        end.abort();
        await adapted.dispose();
      })();
      return disposing;
    },
  };
}

/** The scheduler that a run asks for: an object, a name, or by default the model's. */
function chooseScheduler(modelScheduler: Scheduler, byName: CreatePipelineOptions['schedulerByName']) {
  return (choice: Scheduler | string | undefined): Scheduler => {
    if (typeof choice !== 'string') return choice ?? modelScheduler;
    if (byName !== undefined) return byName(choice);
    throw new InvalidOptionError(
      'scheduler',
      `is the name ${JSON.stringify(choice)}, but this pipeline knows no names: give a scheduler.`,
    );
  };
}
