import { type Backend, type Source, type StageResources, throwIfAborted } from '@sd/core';
import { loadTextEncoder } from '@sd/text-encoder';
import { loadUnet } from '@sd/unet';
import { loadVae } from '@sd/vae';
import type { Warning } from '../events.js';
import { createPipeline, type Pipeline } from '../pipeline.js';
import type { Stages } from '../stages.js';
import { defaultBackend } from './imports.js';
import { locate } from './locate.js';
import { readModelIndex } from './model-index.js';
import { folderModel, type ModelSource } from './model-source.js';
import { loadScheduler } from './schedulers.js';
import type { SingleFileOptions } from './single-file/open.js';

export interface LoadPipelineOptions extends SingleFileOptions {
  /** Where graphs run. Made for this environment if left out, and then disposed with the pipeline; one that is given stays the caller's. */
  readonly backend?: Backend;
  /** Stages in place of the model's own; their files need not be there. With a scheduler, `generate` knows no others by name. */
  readonly stages?: Partial<Stages>;
  /** Which file of a Source is the whole model; without it, the Source is a folder in diffusers' layout. */
  readonly path?: string;
  /** The variant of the weights to prefer, as in `model.fp16.safetensors`: `fp16`. */
  readonly variant?: string;
  /** Loads each stage when it is needed and frees it after its use: slower, for large models on small machines. */
  readonly releaseStages?: boolean;
  readonly signal?: AbortSignal;
}

/**
 * Loads a model and makes a pipeline of it.
 * @param source A diffusers checkpoint folder, or a whole model in one file (`.safetensors`, `.ckpt`, `.pt`), as a path, a
 * URL or a Source; without one, the embedded model of `@sd/model-tiny`.
 *
 * Rejects with a SourceError for missing files, a CheckpointError for broken ones, an UnsupportedError for models that
 * this version does not know, a MissingPackageError for a package to install, a BackendError, or an AbortError.
 */
export async function loadPipeline(
  source?: string | URL | Source,
  options: LoadPipelineOptions = {},
): Promise<Pipeline> {
  const { releaseStages = false, signal } = options;
  throwIfAborted(signal);
  const model = await openModelSource(source, options);
  const { files } = model;
  const given = options.stages ?? {};
  const { schedulerClass, warnings } = await readModelIndex(files, replacedParts(given));
  const backend = options.backend ?? (await defaultBackend());
  const from = (part: string) => ({ backend, ...model.part(part) });
  try {
    const [tokenizer, textEncoder, unet, vae, schedulers] = await Promise.all([
      // Its library is large, and an app may bring a tokenizer of its own.
      given.tokenizer ?? import('@sd/tokenizer').then(({ loadTokenizer }) => loadTokenizer(files)),
      given.textEncoder ?? loadTextEncoder(from('text_encoder')),
      given.unet ?? loadUnet(from('unet')),
      given.vae ?? loadVae(from('vae')),
      given.scheduler === undefined ? loadScheduler(files, schedulerClass) : { scheduler: given.scheduler },
    ]);
    throwIfAborted(signal);
    const pipeline = createPipeline({ tokenizer, textEncoder, unet, vae, ...schedulers, backend, releaseStages });
    if (!releaseStages) await loadAll([textEncoder, unet, vae], signal);
    const { dispose } = pipeline;
    return Object.assign(pipeline, {
      warnings: [...model.warnings, ...warnings, ...unusedTensors({ text_encoder: textEncoder, unet, vae })],
      async dispose() {
        await dispose();
        if (options.backend === undefined) await backend.dispose();
      },
    });
  } catch (error) {
    if (options.backend === undefined) await backend.dispose();
    throw error;
  }
}

async function openModelSource(
  source: string | URL | Source | undefined,
  options: LoadPipelineOptions,
): Promise<ModelSource> {
  const located = await locate(source, options.path);
  if (located.path === '') return folderModel(located.source, options.variant);
  const { openSingleFile } = await import('./single-file/open.js');
  return openSingleFile(located, options);
}

/** The parts of a model folder that stages stand in for. */
function replacedParts({ textEncoder, ...others }: Partial<Stages>): string[] {
  const stages = Object.entries({ ...others, text_encoder: textEncoder });
  return stages.flatMap(([part, stage]) => (stage === undefined ? [] : [part]));
}

/** Loads all stages or none: if one fails, the others are freed again, since the backend may live on. */
async function loadAll(stages: readonly StageResources[], signal: AbortSignal | undefined): Promise<void> {
  try {
    await Promise.all(stages.map((stage) => stage.load?.({ signal })));
  } catch (error) {
    await Promise.all(stages.map((stage) => stage.release?.()));
    throw error;
  }
}

function unusedTensors(stages: Readonly<Record<string, object>>): Warning[] {
  return Object.entries(stages).flatMap(([part, stage]) => {
    const unused = 'unusedTensors' in stage ? (stage.unusedTensors as readonly string[]) : [];
    if (unused.length === 0) return [];
    const named = unused.slice(0, 5).join(', ');
    const rest = unused.length > 5 ? ` and ${unused.length - 5} more` : '';
    return [{ code: 'unused-tensors', message: `${part} has tensors that its model does not use: ${named}${rest}.` }];
  });
}
