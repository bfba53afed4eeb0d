import {
  type Backend,
  barrier,
  callersCode,
  lazyImport,
  linkSignals,
  SourceError,
  type StageResources,
  settleAll,
  throwIfAborted,
  type Warning,
} from '@sd/core';
import { checkComponents, type ReplacedComponents, readComponents } from './load/components.js';
import { checkLoadOptions, type LoadPipelineOptions } from './load/load-options.js';
import { openStages } from './load/load-stages.js';
import { locate, type Place } from './load/locate.js';
import { folderFiles, type ModelFiles } from './load/model-files.js';
import { type ModelIndex, readModelIndex } from './load/model-index.js';
import { isExportedFolder } from './load/onnx-folder/is-exported.js';
import { backendFor } from './load/sources.js';
import { unusedWarning } from './load/unused-warning.js';
import { createPipeline, type Pipeline } from './pipeline.js';
import { heldStages, type Stages } from './stages.js';

/**
 * Loads a model and creates a pipeline from it.
 * @param source A diffusers checkpoint folder, a folder of models exported to ONNX, or a whole model in one file
 * (`.safetensors`, `.ckpt`, `.pt`), as a path, a URL, a file that a user picked, or a Source; without one, the embedded
 * model of `@sd/model-tiny`.
 *
 * Rejects with a SourceError for missing files, a CheckpointError for broken ones, an UnsupportedError for unsupported
 * models, a MissingPackageError for a package to install, an InvalidOptionError for unknown or impossible options, a
 * BackendError, or an AbortError.
 */
export function loadPipeline(source?: Place, options?: LoadPipelineOptions): Promise<Pipeline> {
  return barrier('loadPipeline()', () => loadChecked(source, options));
}

async function loadChecked(source?: Place, options: LoadPipelineOptions = {}): Promise<Pipeline> {
  checkLoadOptions(options);
  throwIfAborted(options.signal);
  // The stages may read their files again after the caller's signal has lost its meaning.
  const link = linkSignals(options.signal);
  try {
    return await load(source, { ...options, signal: link.signal });
  } finally {
    link.unlink();
  }
}

type LoadOptions = LoadPipelineOptions & { readonly signal: AbortSignal };

async function load(source: Place | undefined, options: LoadOptions): Promise<Pipeline> {
  const replaced = readComponents(options);
  const { model, index } = await openModel(source, options, replaced);
  const backend = options.backend ?? (await backendFor(options));
  const disposeBackend = async () => {
    if (options.backend === undefined) await backend.dispose();
  };
  try {
    return await assemblePipeline({ source, model, index, replaced, backend, options, disposeBackend });
  } catch (error) {
    await disposeBackend();
    throw error;
  }
}

interface OpenedModel {
  readonly model: ModelFiles;
  readonly index: ModelIndex;
}

/** Finds a model's files and its family, and substitutes the files of replaced components. */
async function openModel(
  source: Place | undefined,
  options: LoadOptions,
  replaced: ReplacedComponents,
): Promise<OpenedModel> {
  const { signal } = options;
  const located = await locate(source, options.path, options);
  let model =
    located.path === ''
      ? folderFiles(located.source, options.variant)
      : await (await lazyImport(() => import('./load/single-file/open.js'))).openSingleFile(located, options);
  if (located.path === '' && (await isExportedFolder(located.source))) {
    model = await (await lazyImport(() => import('./load/onnx-folder/open.js'))).withExported(model);
  }
  const provided = new Set([...replaced.stages.keys(), ...replaced.places.keys(), ...model.exported.keys()]);
  const index = await readModelIndex(model, provided, replaced.omitted).catch((error) => explain(model, error));
  checkComponents(replaced, index.family);
  for (const component of [index.family.noisePredictor, index.family.vae]) {
    const place = replaced.places.get(component.name);
    if (place === undefined) continue;
    const { replaceComponent } = await lazyImport(() => import('./load/replace-component.js'));
    model = await replaceComponent(model, index.family, component, place, signal);
  }
  return { model, index };
}

/** For a folder without `model_index.json`: rejects with an error that says what the folder is, where that is known. */
async function explain({ files }: ModelFiles, error: unknown): Promise<never> {
  if (!(error instanceof SourceError && error.code === 'not-found' && error.path === 'model_index.json')) throw error;
  const { notAModel } = await lazyImport(() => import('./load/inspect/not-a-model.js'));
  throw await notAModel(files, error);
}

interface PipelineParts extends OpenedModel {
  readonly source: Place | undefined;
  readonly replaced: ReplacedComponents;
  readonly backend: Backend;
  readonly options: LoadOptions;
  disposeBackend(): Promise<void>;
}

async function assemblePipeline(parts: PipelineParts) {
  const { model, index, replaced, backend, options, disposeBackend } = parts;
  const { releaseStages = false, memoryLimit, signal } = options;
  const { warnings, ...stages } = await openStages({ model, index, replaced, backend, signal });
  const { modelDefaults } = await lazyImport(() => import('./load/model-defaults.js'));
  throwIfAborted(signal);
  const composition = index.family.composition(stages, index.values);
  const defaults = modelDefaults({ ...parts, path: options.path, stages });
  const scheduler = (defaults?.scheduler && stages.schedulerWith?.(defaults.scheduler)) ?? stages.scheduler;
  const pipeline = createPipeline({
    ...stages,
    scheduler,
    composition,
    defaults,
    backend,
    releaseStages,
    memoryLimit,
  });
  if (!releaseStages) await loadAll(heldStages(stages), signal);
  const { dispose } = pipeline;
  return Object.assign(pipeline, {
    warnings: [
      ...(backend.warnings ?? []),
      ...(model.files.warnings ?? []),
      ...model.warnings,
      ...index.warnings,
      ...warnings,
      ...unusedTensors(stages, index),
    ],
    async dispose() {
      try {
        await dispose();
      } finally {
        await disposeBackend();
      }
    },
  });
}

/** Loads all stages or none: if one fails, the others are freed, since the backend may be used further. */
async function loadAll(stages: readonly StageResources[], signal: AbortSignal): Promise<void> {
  try {
    await settleAll(stages.map((stage) => () => callersCode(() => stage.load?.({ signal }))));
  } catch (error) {
    await settleAll(stages.map((stage) => () => stage.release?.()));
    throw error;
  }
}

/** Warnings for the tensors in a component's files that its model does not use. */
function unusedTensors({ textEncoders, noisePredictor, vae, previewVae }: Stages, { family }: ModelIndex): Warning[] {
  const components: (readonly [string, object | undefined])[] = [
    ...textEncoders.map(({ component = 'text_encoder', textEncoder }) => [component, textEncoder] as const),
    [family.noisePredictor.name, noisePredictor],
    [family.vae.name, vae],
    ['preview_vae', previewVae],
  ];
  return components.flatMap(([name, stage]) => {
    const unused = stage !== undefined && 'unusedTensors' in stage ? (stage.unusedTensors as readonly string[]) : [];
    return unusedWarning(`${name} has tensors that its model does not use`, unused);
  });
}
