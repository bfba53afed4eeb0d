import { DisposedError, InvalidOptionError, type Scheduler } from '@sd/core';
import type { GenerateResult, PipelineEvent, Warning } from './events.js';
import { type GenerateOptions, readOptions, refuseUnknown } from './options.js';
import { run, type Stages } from './run.js';
import { readPictures } from './start/pictures.js';
import { createTurns } from './turns.js';

export interface CreatePipelineOptions extends Stages {
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
  /** Ends the current run and those that wait with a DisposedError, and frees all stages. */
  dispose(): Promise<void>;
}

/** Composes stages into a pipeline. They may be of this library or any objects that meet the interfaces. */
export function createPipeline(options: CreatePipelineOptions): Pipeline {
  const { tokenizer, textEncoder, unet, vae, scheduler, schedulerNamed, releaseStages = false } = options;
  const stages: Stages = { tokenizer, textEncoder, unet, vae, scheduler };
  const channels = vae.latentChannels;
  // A U-Net for inpainting sees the sample, the mask, and the latents of the picture without what is repainted.
  const beside = unet.inChannels === 2 * channels + 1;
  const sizes = { channels, factor: vae.scaleFactor, sampleSize: unet.sampleSize, beside };
  const turns = createTurns();
  const end = new AbortController();
  let disposing: Promise<void> | undefined;

  if (!(beside || unet.inChannels === channels) || unet.outChannels !== channels) {
    throw new InvalidOptionError(
      'unet',
      `takes ${unet.inChannels} channels and gives ${unet.outChannels}, but the VAE's latents have ${channels}: it must take ${channels}, or ${2 * channels + 1} for inpainting, and give ${channels}.`,
    );
  }

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
    const request = readOptions(given, await readPictures(given), sizes, chosen);
    const signal = AbortSignal.any([end.signal, ...(request.signal === undefined ? [] : [request.signal])]);
    try {
      const leave = await turns.take(signal);
      try {
        return yield* run(stages, { ...request, signal }, { releaseStages });
      } finally {
        leave();
      }
    } catch (error) {
      // A stage of the caller's may reject with an AbortError of the platform's.
      const aborted = error instanceof Error && error.name === 'AbortError';
      throw end.signal.aborted && aborted ? new DisposedError('The pipeline') : error;
    }
  }

  return {
    stages,
    warnings: [],
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
        await Promise.all([textEncoder, unet, vae].map((stage) => stage.dispose?.()));
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
