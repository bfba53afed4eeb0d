import { CheckpointError, type Source, settleAll, UnsupportedError } from '@sd/core';
import {
  Checkpoint,
  Config,
  fileFormat,
  hasFile,
  type ModelFolder,
  type ModelParts,
  openWeights,
  readConfig,
  splitByRange,
} from '@sd/weights';
import type { Component, Family, FileNotes, Json, SplitFile, Tensors } from '../../families/family.js';
import { expectModel } from '../inspect/expect-model.js';
import type { LoadPipelineOptions } from '../load-options.js';
import { type Located, locate } from '../locate.js';
import { chosenSource, textSource } from '../memory-source.js';
import { type ModelFiles, missingComponent } from '../model-files.js';
import { openTinyVae } from '../tiny-vae.js';
import { unusedWarning } from '../unused-warning.js';
import { fileNotes } from './notes.js';
import { recogniseFile } from './split.js';

interface Options extends Pick<LoadPipelineOptions, 'config' | 'prediction'> {
  readonly signal: AbortSignal;
}

/**
 * Opens a whole model in one file: finds its family by names and shapes, and takes from the family what the file does not
 * contain. Throws an UnsupportedError that names an unsupported model, and a CheckpointError for a file that is not a whole
 * model.
 */
export async function openSingleFile(
  { source, path }: Located,
  { config, prediction, signal }: Options,
): Promise<ModelFiles> {
  if ((await fileFormat(source, path)) === 'onnx') {
    throw new UnsupportedError(`${path} is one of the models of a folder that was exported to ONNX: load the folder.`);
  }
  const weights = await openWeights(source, path);
  const { tensors, metadata } = weights;
  expectModel(weights);
  const { family, split } = recogniseFile(path, tensors);
  if (family === undefined) throw notAModel(path, tensors, metadata);
  family.file.refuse?.(split);
  const configFolder = config === undefined ? undefined : (await locate(config, undefined, { signal })).source;
  const notes = await fileNotes({ weights, family, split, prediction });
  const model: SingleFile = { source, split, family, notes, configFolder };
  const components = await openComponents(model);
  return {
    files: await configFiles(model),
    family: (await hasConfig(configFolder, 'model_index.json')) ? undefined : family,
    component(name) {
      const component = components.get(name);
      if (component === undefined) throw missingComponent(path, name);
      return component;
    },
    async settings(name) {
      const component = components.get(name);
      if (component === undefined) return family.file.known(name, notes);
      const found =
        'config' in component ? component.config : await readConfig(component.source, `${name}/config.json`);
      return Object.fromEntries(found.entries());
    },
    exported: new Map(),
    metadata,
    warnings: unusedWarning('The file has tensors of no component of the model', split.unused),
  };
}

interface SingleFile {
  readonly source: Source;
  readonly split: SplitFile;
  readonly family: Family;
  readonly notes: FileNotes;
  /** A folder whose configs are used in place of the family's. */
  readonly configFolder: Source | undefined;
}

function notAModel(path: string, tensors: Tensors, metadata: FileNotes['metadata']): CheckpointError {
  const [first] = tensors.keys();
  if (tensors.has('model_ema.decay') || first?.startsWith('model_ema.')) {
    const problem = 'has only the moving averages of a training run (model_ema.), whose names are lost.';
    return new CheckpointError('bad-checkpoint', path, `${problem} Use a file with model.diffusion_model.`);
  }
  const architecture = metadata['general.architecture'];
  const named = architecture === undefined ? '' : `its architecture is ${architecture}, and `;
  const seen = first === undefined ? 'it has no tensors' : `${named}its first tensor is ${first}`;
  return new CheckpointError(
    'bad-checkpoint',
    path,
    `is not a whole model in one file: it has no noise predictor of a supported family (${seen}). inspect() says what a file is.`,
  );
}

function componentsOf({ textEncoders, noisePredictor, vae }: Family): readonly Component<unknown>[] {
  return [noisePredictor, vae, ...textEncoders];
}

/** Each component with its weights from the file, and its config from the option's folder or else from the family. */
async function openComponents(model: SingleFile): Promise<ReadonlyMap<string, ModelFolder | ModelParts>> {
  const { split, family, configFolder } = model;
  const opened = new Map<string, ModelFolder | ModelParts>();
  for (const component of componentsOf(family)) {
    const { name } = component;
    const tensors = split.components[name];
    if (tensors !== undefined) opened.set(name, await openComponent(model, component, tensors));
    else if (await hasConfig(configFolder, `${name}/config.json`)) {
      opened.set(name, { source: configFolder!, folder: name });
    }
  }
  return opened;
}

async function openComponent(
  { source, split, family, notes, configFolder }: SingleFile,
  component: Component<unknown>,
  tensors: Tensors,
): Promise<ModelParts> {
  const { path } = split;
  const { name, configFromShapes, usedTensors } = component;
  const tiny = name === family.vae.name ? await openTinyVae(source, path, tensors, {}) : undefined;
  if (tiny !== undefined) return tiny;
  const given = (await hasConfig(configFolder, `${name}/config.json`))
    ? await readConfig(configFolder!, `${name}/config.json`)
    : new Config(`${path} (${name})`, configFromShapes(path, tensors, family.file.known(name, notes)));
  const stated = family.file.stated?.(name, notes) ?? {};
  const config =
    Object.keys(stated).length === 0
      ? given
      : new Config(given.file, { ...Object.fromEntries(given.entries()), ...stated });
  const used = usedTensors?.(tensors, config) ?? tensors;
  return { config, checkpoint: new Checkpoint(path, splitByRange(source, path, used)) };
}

async function hasConfig(folder: Source | undefined, file: string): Promise<boolean> {
  return folder !== undefined && hasFile(folder, file);
}

/** The files besides the weights: each folder from the option's folder if it is there, else from the family. */
async function configFiles({ split, family, notes, configFolder }: SingleFile): Promise<Source> {
  const { path } = split;
  const scheduler = family.file.scheduler(notes);
  const texts = new Map([
    ['model_index.json', JSON.stringify(modelIndex(family, split, scheduler))],
    ['scheduler/scheduler_config.json', JSON.stringify(scheduler)],
  ]);
  const given = new Set<string>();
  if (await hasConfig(configFolder, 'model_index.json')) given.add('model_index.json');
  if (await hasConfig(configFolder, 'scheduler/scheduler_config.json')) given.add('scheduler');
  for (const { tokenizer, tokenizerFiles } of family.textEncoders) {
    const vocabularies = await settleAll(
      ['tokenizer.json', 'vocab.json'].map((file) => () => hasConfig(configFolder, `${tokenizer}/${file}`)),
    );
    if (vocabularies.includes(true)) given.add(tokenizer);
    else for (const [name, text] of (await tokenizerFiles?.()) ?? []) texts.set(`${tokenizer}/${name}`, text);
  }
  const made = textSource(path, texts);
  return chosenSource(path, (file) => (given.has(file.split('/')[0]) ? configFolder! : made));
}

/** The `model_index.json` that diffusers would write for the file. */
function modelIndex(family: Family, { components }: SplitFile, scheduler: Json): Json {
  const encoders = family.textEncoders
    .filter(({ name, optional }) => !optional || components[name] !== undefined)
    .flatMap(({ name, classes, tokenizer, tokenizerClasses }) => [
      [name, ['transformers', classes[0]]],
      [tokenizer, ['transformers', tokenizerClasses[0]]],
    ]);
  return {
    scheduler: ['diffusers', scheduler._class_name],
    [family.noisePredictor.name]: ['diffusers', family.noisePredictor.classes[0]],
    [family.vae.name]: ['diffusers', family.vae.classes[0]],
    ...Object.fromEntries(encoders),
    ...family.file.index,
  };
}
