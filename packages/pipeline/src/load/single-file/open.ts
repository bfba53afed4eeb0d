import { CheckpointError, InvalidOptionError, type Source, UnsupportedError } from '@sd/core';
import { clipTextConfigFromShapes } from '@sd/text-encoder';
import { unetConfigFromShapes } from '@sd/unet';
import { vaeConfigFromShapes } from '@sd/vae';
import {
  Checkpoint,
  Config,
  hasFile,
  type ModelFolder,
  type ModelParts,
  openWeights,
  partFiles,
  readConfig,
} from '@sd/weights';
import type { Warning } from '../../events.js';
import { clipVocabulary } from '../clip-vocabulary.js';
import { chosenSource, textSource } from '../layered-source.js';
import { type Located, locate, type Place } from '../locate.js';
import type { ModelSource } from '../model-source.js';
import { type Family, families, type Json, type TextRules } from './families.js';
import { foreignModel } from './foreign.js';
import { type Part, type Parts, splitParts, type Tensors } from './parts.js';
import { familyOf, refuseOthers, unetTraits } from './recognise.js';
import { type FilePrediction, familyOfPrediction, predictionOf, schedulerConfigOf } from './scheduler.js';

export interface SingleFileOptions {
  /**
   * A folder in diffusers' layout whose files stand in place of those that the family has: `unet/config.json`,
   * `scheduler/`, `tokenizer/` and so on, as many as there are.
   */
  readonly config?: Place;
  /** What the model predicts, where that should not be found out from the file. */
  readonly prediction?: FilePrediction;
}

/**
 * Opens a whole model in one file, in the original layout: finds out its family by names and shapes, and takes from the
 * family what the file does not say. Throws an UnsupportedError that names a model of another kind, and a CheckpointError
 * for a file that is no whole model.
 */
export async function openSingleFile({ source, path }: Located, options: SingleFileOptions = {}): Promise<ModelSource> {
  checkPrediction(options.prediction);
  if (/\.onnx$/i.test(path)) {
    throw new UnsupportedError(`${path} is one of the models of a folder that was exported to ONNX: load the folder.`);
  }
  const { tensors, metadata } = await openWeights(source, path);
  const parts = splitParts(path, tensors);
  const id = familyOf(parts);
  if (id === undefined || parts.tensors.unet === undefined) throw notAModel(path, tensors);
  refuseOthers(path, id, parts);
  const general = families[id];
  const given = options.config === undefined ? undefined : (await locate(options.config)).source;
  const notes = { metadata, has: (name: string) => tensors.has(name), ...unetTraits(parts.tensors.unet)! };
  const prediction = options.prediction ?? predictionOf(general, notes);
  const family = familyOfPrediction(general, prediction);
  const opened = await openParts({ source, path }, parts, family, given);
  return {
    files: await filesOf(path, family, schedulerConfigOf(family, prediction, notes), given),
    part(name) {
      const part = Object.hasOwn(opened, name) ? opened[name as Part] : undefined;
      if (part !== undefined) return part;
      throw new CheckpointError(
        'missing-tensor',
        path,
        `has no ${name}. Give a folder that has one as the option config.`,
      );
    },
    async settings(name) {
      const part = Object.hasOwn(opened, name) ? opened[name as Part] : undefined;
      if (part === undefined) return name === 'vae' ? family.vae : {};
      const config = 'config' in part ? part.config : await readConfig(part.source, `${name}/config.json`);
      return Object.fromEntries(config.entries());
    },
    warnings: spareWarnings(parts),
  };
}

function notAModel(path: string, tensors: Tensors): UnsupportedError | CheckpointError {
  const foreign = foreignModel(tensors.keys());
  if (foreign !== undefined) {
    return new UnsupportedError(`${path}: is a model of ${foreign}; this version knows Stable Diffusion 1, 2 and XL.`);
  }
  const [first] = tensors.keys();
  const seen = first === undefined ? 'it has no tensors' : `its first tensor is ${first}`;
  return new CheckpointError(
    'bad-checkpoint',
    path,
    `is no whole model of Stable Diffusion in one file: it has no U-Net (${seen}). inspect() says what a file is.`,
  );
}

type OpenedParts = Partial<Record<Part, ModelFolder | ModelParts>>;

/** Each part with its weights from the file and its config from the folder that was given, else from the family. */
async function openParts(
  { source, path }: Pick<Located, 'source' | 'path'>,
  { tensors }: Parts,
  family: Family,
  given: Source | undefined,
): Promise<OpenedParts> {
  const result: OpenedParts = {};
  for (const part of ['unet', 'vae', 'text_encoder', 'text_encoder_2'] as const) {
    const own = tensors[part];
    const configFile = `${part}/config.json`;
    const configured = given !== undefined && (await hasFile(given, configFile));
    if (own === undefined) {
      if (configured) result[part] = { source: given, folder: part };
      continue;
    }
    const config = configured
      ? await readConfig(given, configFile)
      : new Config(`${path} (${part})`, configOf(path, part, own, family));
    const used = part === 'unet' || part === 'vae' ? own : usedOfText(own, config);
    result[part] = { config, checkpoint: new Checkpoint(path, partFiles(source, path, used)) };
  }
  return result;
}

function configOf(path: string, part: Part, tensors: Tensors, family: Family): Json {
  if (part === 'unet') return unetConfigFromShapes(path, tensors, family.unet, family.heads);
  if (part === 'vae') return vaeConfigFromShapes(path, tensors, family.vae);
  return clipTextConfigFromShapes(path, tensors, family.text[part] ?? (family.text.text_encoder_2 as TextRules));
}

/** A text model without the layers and the projection that its config leaves out: the original files of SD 2 have them. */
function usedOfText(tensors: Tensors, config: Config): Tensors {
  const layers = config.number('num_hidden_layers', 12);
  const projected = JSON.stringify(config.get('architectures') ?? '').includes('WithProjection');
  return new Map(
    [...tensors].filter(([name]) => {
      const [, layer] = /^encoder\.layers\.(\d+)\./.exec(name) ?? [];
      return (layer === undefined || Number(layer) < layers) && (projected || name !== 'text_projection.weight');
    }),
  );
}

/** The files beside the weights: of the folder that was given, part by part, else of the family. */
async function filesOf(path: string, family: Family, scheduler: Json, given: Source | undefined): Promise<Source> {
  const has = async (file: string) => given !== undefined && (await hasFile(given, file));
  const texts = new Map<string, string>();
  const put = (file: string, value: unknown) => texts.set(file, JSON.stringify(value));
  put('model_index.json', indexOf(family, scheduler));
  put('scheduler/scheduler_config.json', scheduler);
  const theirs = new Set<string>();
  if (await has('model_index.json')) theirs.add('model_index.json');
  if (await has('scheduler/scheduler_config.json')) theirs.add('scheduler');
  for (const [part, rules] of Object.entries(family.text)) {
    const folder = part.replace('text_encoder', 'tokenizer');
    if ((await has(`${folder}/tokenizer.json`)) || (await has(`${folder}/vocab.json`))) {
      theirs.add(folder);
      continue;
    }
    const { vocab, merges } = await clipVocabulary();
    texts.set(`${folder}/vocab.json`, vocab).set(`${folder}/merges.txt`, merges);
    put(`${folder}/tokenizer_config.json`, { model_max_length: 77, pad_token: rules.pad });
  }
  const own = textSource(path, texts);
  return chosenSource(path, (file) => (given !== undefined && theirs.has(file.split('/')[0]!) ? given : own));
}

function indexOf(family: Family, scheduler: Json): Json {
  const text = Object.entries(family.text).flatMap(([part, rules]) => [
    [part, ['transformers', rules.class]],
    [part.replace('text_encoder', 'tokenizer'), ['transformers', 'CLIPTokenizer']],
  ]);
  return {
    _class_name: family.pipeline,
    scheduler: ['diffusers', scheduler._class_name],
    unet: ['diffusers', 'UNet2DConditionModel'],
    vae: ['diffusers', 'AutoencoderKL'],
    ...Object.fromEntries(text),
    ...family.index,
  };
}

function spareWarnings({ spare }: Parts): Warning[] {
  if (spare.length === 0) return [];
  const rest = spare.length > 5 ? ` and ${spare.length - 5} more` : '';
  return [
    {
      code: 'unused-tensors',
      message: `The file has tensors of no part of the model: ${spare.slice(0, 5).join(', ')}${rest}.`,
    },
  ];
}

function checkPrediction(prediction: unknown): void {
  if (prediction === undefined || prediction === 'epsilon' || prediction === 'v_prediction') return;
  throw new InvalidOptionError('prediction', `must be 'epsilon' or 'v_prediction', not ${JSON.stringify(prediction)}.`);
}
