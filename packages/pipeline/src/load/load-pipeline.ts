import { type Backend, type StageResources, throwIfAborted } from '@sd/core';
import { loadTextEncoder } from '@sd/text-encoder';
import { loadUnet } from '@sd/unet';
import { loadVae } from '@sd/vae';
import type { Warning } from '../events.js';
import { createPipeline, type Pipeline } from '../pipeline.js';
import { heldStages, type Stages } from '../stages.js';
import { defaultBackend } from './imports.js';
import { isExported } from './is-exported.js';
import { checkLoadOptions, type LoadPipelineOptions } from './load-options.js';
import { locate, type Place } from './locate.js';
import { readModelIndex, type TextParts } from './model-index.js';
import { folderModel, type ModelSource } from './model-source.js';
import { loadScheduler } from './schedulers.js';

/**
 * Loads a model and makes a pipeline of it.
 * @param source A diffusers checkpoint folder, a folder of ONNX models that others exported, or a whole model in one file
 * (`.safetensors`, `.ckpt`, `.pt`), as a path, a URL, a file that a person picked, or a Source; without one, the embedded model of `@sd/model-tiny`.
 *
 * Rejects with a SourceError for missing files, a CheckpointError for broken ones, an UnsupportedError for models that
 * this version does not know, a MissingPackageError for a package to install, an InvalidOptionError for options that are
 * unknown or cannot be, a BackendError, or an AbortError.
 */
export async function loadPipeline(source?: Place, options: LoadPipelineOptions = {}): Promise<Pipeline> {
  checkLoadOptions(options);
  const { releaseStages = false, signal } = options;
  throwIfAborted(signal);
  const model = await openModelSource(source, options);
  const { files } = model;
  const given = options.stages ?? {};
  const { schedulerClass, texts, flags, warnings } = await readModelIndex(files, [
    ...replacedParts(given),
    ...(model.exported?.parts ?? []),
  ]);
  const backend = options.backend ?? (await defaultBackend());
  const from = (part: string) => ({ backend, ...model.part(part) });
  const exported = model.exported?.stages ?? {};
  try {
    // Its library is large, and an app may bring a tokenizer of its own.
    const tokenizerIn = async (folder: string) => (await import('@sd/tokenizer')).loadTokenizer(files, folder);
    const [first, second] = texts as [TextParts, TextParts?];
    const [tokenizer, textEncoder, tokenizer2, textEncoder2, unet, vae, previewVae, schedulers] = await Promise.all([
      given.tokenizer ?? tokenizerIn(first.tokenizer),
      given.textEncoder ?? exported[first.textEncoder]?.(backend) ?? loadTextEncoder(from(first.textEncoder)),
      given.tokenizer2 ?? (second && tokenizerIn(second.tokenizer)),
      given.textEncoder2 ??
        (second && (exported[second.textEncoder]?.(backend) ?? loadTextEncoder(from(second.textEncoder)))),
      given.unet ?? exported.unet?.(backend) ?? loadUnet(from('unet')),
      given.vae ?? exported.vae?.(backend) ?? loadVae(from('vae')),
      given.previewVae ?? previewVaeOf(model, backend, options.previewVae),
      given.scheduler === undefined ? loadScheduler(files, schedulerClass) : { scheduler: given.scheduler },
    ]);
    throwIfAborted(signal);
    const models = { textEncoder, textEncoder2, unet, vae, previewVae };
    const stages = { tokenizer, tokenizer2, ...models, ...schedulers };
    const pipeline = createPipeline({ ...stages, ...flags, backend, releaseStages });
    if (!releaseStages) await loadAll(heldStages(stages), signal);
    const { dispose } = pipeline;
    return Object.assign(pipeline, {
      warnings: [
        ...(backend.warnings ?? []),
        ...(files.warnings ?? []),
        ...model.warnings,
        ...warnings,
        ...unusedTensors(models),
      ],
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

async function openModelSource(source: Place | undefined, options: LoadPipelineOptions): Promise<ModelSource> {
  const located = await locate(source, options.path);
  let model =
    located.path === ''
      ? folderModel(located.source, options.variant)
      : await (await import('./single-file/open.js')).openSingleFile(located, options);
  if (located.path === '' && (await isExported(located.source))) {
    model = await (await import('./onnx-folder/open.js')).withExported(model);
  }
  for (const part of ['unet', 'vae'] as const) {
    const place = options[part];
    if (place !== undefined) model = await (await import('./single-file/replace.js')).withPart(model, part, place);
  }
  return model;
}

/** A VAE for previews alone. */
async function previewVaeOf(model: ModelSource, backend: Backend, place: LoadPipelineOptions['previewVae']) {
  if (place === undefined) return undefined;
  const { withPart } = await import('./single-file/replace.js');
  return loadVae({ backend, ...(await withPart(model, 'vae', place)).part('vae') });
}

/** What a model folder calls its parts. */
const partNames = {
  textEncoder: 'text_encoder',
  tokenizer2: 'tokenizer_2',
  textEncoder2: 'text_encoder_2',
  previewVae: 'preview_vae',
};

/** The parts of a model folder that stages stand in for. */
function replacedParts(stages: Partial<Stages>): string[] {
  return Object.entries(stages).flatMap(([name, stage]) => (stage === undefined ? [] : [partName(name)]));
}

function partName(stage: string): string {
  return Object.hasOwn(partNames, stage) ? partNames[stage as keyof typeof partNames] : stage;
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

function unusedTensors(stages: Readonly<Record<string, object | undefined>>): Warning[] {
  return Object.entries(stages).flatMap(([name, stage]) => {
    const part = partName(name);
    const unused = stage !== undefined && 'unusedTensors' in stage ? (stage.unusedTensors as readonly string[]) : [];
    if (unused.length === 0) return [];
    const named = unused.slice(0, 5).join(', ');
    const rest = unused.length > 5 ? ` and ${unused.length - 5} more` : '';
    return [{ code: 'unused-tensors', message: `${part} has tensors that its model does not use: ${named}${rest}.` }];
  });
}
