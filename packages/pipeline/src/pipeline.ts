import { type Backend, DisposedError, InvalidOptionError, type Scheduler } from '@sd/core';
import { adaptedStages } from './attach/adapted-stages.js';
import type { Attachment, AttachResult, AttachSource } from './attach/attach.js';
import { type AttachOptions, checkAttachOptions } from './attach/attach-options.js';
import { mentionedSettings, withMentioned } from './attach/mentioned.js';
import { readAdapters } from './attach/run-adapters.js';
import type { GenerateResult, PipelineEvent, Warning } from './events.js';
import { type GenerateOptions, readOptions, refuseUnknown } from './options.js';
import { run } from './run.js';
import { factsOf, type ModelFlags } from './stage-facts.js';
import type { Stages } from './stages.js';
import { readPictures } from './start/pictures.js';
import { createTurns } from './turns.js';

export interface CreatePipelineOptions extends Stages, ModelFlags {
  /** Where models run that are attached later, such as a ControlNet. It stays the caller's. */
  readonly backend?: Backend;
  /** Makes a scheduler from the name that `generate({ scheduler })` was given. */
  readonly schedulerNamed?: (name: string) => Scheduler;
  /** Frees each stage after its use, and loads it again when next needed: slower, for large models on small machines. */
  readonly releaseStages?: boolean;
}

/**
 * Text to pictures. One request runs at a time; others wait for their turn, in the order in which their pictures to start
 * from, if any, were read.
 */
export interface Pipeline {
  readonly stages: Stages;
  /** What loading has to say: parts that were skipped, tensors that no stage uses. */
  readonly warnings: readonly Warning[];
  /**
   * Makes pictures. Rejects with an InvalidOptionError or TensorError for options that cannot be, before anything runs;
   * with an AbortError, a DisposedError, or what a stage throws.
   */
  generate(options: GenerateOptions): Promise<GenerateResult>;
  /**
   * The same run, event by event; its return value is what `generate` gives. It starts at the first `next()`, and goes
   * on only as events are taken. Leaving the loop ends the run.
   */
  stream(options: GenerateOptions): AsyncGenerator<PipelineEvent, GenerateResult, void>;
  /**
   * Attaches an adapter that changes how the model draws, without a change to its weights: a LoRA, a ControlNet. Waits
   * for its turn among the requests. Sessions are made anew for the models that it changes, and not when its strength does.
   *
   * Rejects with a SourceError or CheckpointError for the file, an InvalidOptionError for a name that is taken or options
   * that are unknown or cannot be, an
   * UnsupportedError for what this version does not know; then nothing has changed.
   * @param file A path, URL or Source: of a folder, or of a file as `AttachOptions.path` says.
   */
  attach(file: AttachSource, options?: AttachOptions): Promise<AttachResult>;
  /** Detaches the adapter of that name. Rejects with an InvalidOptionError if there is none. */
  detach(name: string): Promise<void>;
  /** The adapters that are attached. */
  readonly attached: readonly Attachment[];
  /** Ends the current run and those that wait with a DisposedError, and frees all stages. */
  dispose(): Promise<void>;
}

/** Composes stages into a pipeline. They may be of this library or any objects that meet the interfaces. */
export function createPipeline(options: CreatePipelineOptions): Pipeline {
  const { tokenizer, textEncoder, unet, vae, scheduler, schedulerNamed, releaseStages = false } = options;
  const { tokenizer2, textEncoder2, previewVae, backend } = options;
  const stages = { tokenizer, textEncoder, tokenizer2, textEncoder2, unet, vae, previewVae, scheduler };
  const adapted = adaptedStages(stages);
  const facts = factsOf(adapted.stages, options);
  const turns = createTurns();
  const end = new AbortController();
  let disposing: Promise<void> | undefined;

  const chosen = (choice: Scheduler | string | undefined): Scheduler => {
    if (typeof choice !== 'string') return choice ?? scheduler;
    if (schedulerNamed !== undefined) return schedulerNamed(choice);
    throw new InvalidOptionError(
      'scheduler',
      `is the name ${JSON.stringify(choice)}, but this pipeline knows no names: give a scheduler.`,
    );
  };

  async function* stream(given: GenerateOptions): AsyncGenerator<PipelineEvent, GenerateResult, void> {
    if (disposing !== undefined) throw new DisposedError('The pipeline');
    refuseUnknown(given);
    if (given.microConditioning !== undefined || given.negativeMicroConditioning !== undefined) {
      (await import('./conditions.js')).checkMicroConditioning(given, facts);
    }
    // Without pictures to wait for, turns are taken in the order of the calls.
    const pictures = given.image === undefined && given.mask === undefined ? {} : await readPictures(given);
    const request = readOptions(given, pictures, facts, chosen);
    const signal = AbortSignal.any([end.signal, ...(request.signal === undefined ? [] : [request.signal])]);
    try {
      const leave = await turns.take(signal);
      try {
        const mentioned = await mentionedSettings(request, adapted.adapters);
        const adapters = await readAdapters(withMentioned(given, mentioned), adapted.adapters);
        const { warnings } = mentioned;
        return yield* run(adapted.stages, { ...request, signal }, { adapters, facts, releaseStages, warnings });
      } finally {
        leave();
      }
    } catch (error) {
      throw explained(error);
    }
  }

  /** What ended because the pipeline was disposed says that. */
  const explained = (error: unknown): unknown => {
    // A stage of the caller's may reject with an AbortError of the platform's.
    const stopped = error instanceof DisposedError || (error instanceof Error && error.name === 'AbortError');
    return end.signal.aborted && stopped ? new DisposedError('The pipeline') : error;
  };

  /** Waits for its turn, and for nothing once the pipeline is disposed. */
  const inTurn = async <T>(
    signal: AbortSignal | undefined,
    action: (signal: AbortSignal) => Promise<T>,
  ): Promise<T> => {
    const either = AbortSignal.any([end.signal, ...(signal === undefined ? [] : [signal])]);
    try {
      const leave = await turns.take(either);
      try {
        return await action(either);
      } finally {
        leave();
      }
    } catch (error) {
      throw explained(error);
    }
  };

  return {
    get stages() {
      return adapted.stages;
    },
    get attached() {
      return adapted.adapters.map(({ name, kind }) => ({ name, kind }));
    },
    warnings: [],
    async attach(file, options = {}) {
      if (disposing !== undefined) throw new DisposedError('The pipeline');
      checkAttachOptions(options);
      return inTurn(options.signal, async (signal) => {
        const { attach } = await import('./attach/attach.js');
        return attach(adapted, file, { ...options, signal }, { backend, load: !releaseStages });
      });
    },
    async detach(name) {
      if (disposing !== undefined) throw new DisposedError('The pipeline');
      await inTurn(undefined, async (signal) => {
        const { detach } = await import('./attach/attach.js');
        await detach(adapted, name, { signal, load: !releaseStages });
      });
    },
    stream,
    async generate(given) {
      const events = stream(given);
      for (;;) {
        const { done, value } = await events.next();
        if (done) return value;
        if (value.type === 'step' && given.onStep !== undefined) await notify(events, () => given.onStep?.(value));
      }
    },
    dispose() {
      disposing ??= (async () => {
        end.abort();
        await adapted.dispose();
      })();
      return disposing;
    },
  };
}

/** Calls back; if that throws, the run is ended before the error goes on. */
async function notify(
  events: AsyncGenerator<PipelineEvent, GenerateResult, void>,
  callback: () => void | Promise<void>,
): Promise<void> {
  try {
    await callback();
  } catch (error) {
    await events.return(undefined as never);
    throw error;
  }
}
