import type { Detail } from '@sd/adapters';
import { SdError, type Source } from '@sd/core';
import type { SchedulerConfig } from '@sd/scheduler';
import { readConfig, type WeightsFile } from '@sd/weights';
import { fewStepDefaults } from '../../defaults/few-step.js';
import { fileNames } from '../../defaults/file-names.js';
import { detailsOf, schedulerDefaults, withOwnSolver } from '../../defaults/run-defaults.js';
import { type Family, usualDefaults } from '../../families/family.js';
import { families } from '../../families/index.js';
import type { Place } from '../locate.js';
import { addressOf } from '../model-defaults.js';
import { readSchedulerConfig } from '../schedulers.js';
import { fileNotes } from '../single-file/notes.js';
import { recogniseFile } from '../single-file/split.js';
import type { Inspection } from './inspection.js';
import type { Recognised } from './recognise.js';

/** The inspection with what `generate()` uses by default; of an adapter, with what it changes if it is a distillation. */
export async function withDefaults(
  place: Place,
  path: string | undefined,
  recognised: Recognised,
): Promise<Inspection> {
  const { inspection, adapterKind, weights } = recognised;
  const { kind, family: id, details } = inspection;
  const family = families.find((known) => known.id === id);
  const isPipeline = kind === 'pipeline';
  const isModel = isPipeline || families.some(({ noisePredictor }) => noisePredictor.name === kind);
  if (!isModel && adapterKind?.distils !== true) return inspection;
  const { name, config, size, refused } = isPipeline ? await ownSettings(recognised, family) : nothing;
  const distilled = fewStepDefaults({
    names: [...fileNames(addressOf(place, path), weights?.metadata), ...(name === undefined ? [] : fileNames(name))],
    isAdapter: !isModel,
    family: id,
    takesGuidance: details.guidanceInput === true,
  });
  const usual: Details = {
    ...(isPipeline && (family?.defaults ?? usualDefaults)),
    size,
    sampler: textOf(config._class_name),
    spacing: textOf(config.timestep_spacing),
    ...given(detailsOf(schedulerDefaults(config) ?? {})),
  };
  return {
    ...inspection,
    details: { ...details, ...given(usual), ...given(distilled && detailsOf(withOwnSolver(distilled, config))) },
    ...(refused !== undefined && { canDo: `It cannot be loaded: ${refused}` }),
  };
}

type Details = Readonly<Record<string, Detail | undefined>>;

const textOf = (value: unknown) => (typeof value === 'string' ? value : undefined);

function given(details: Details = {}): Readonly<Record<string, Detail>> {
  const known = Object.entries(details).filter((entry): entry is [string, Detail] => entry[1] !== undefined);
  return Object.fromEntries(known);
}

interface OwnSettings {
  /** The name in `model_index.json`. */
  readonly name?: string;
  /** The scheduler's config; empty where it cannot be read. */
  readonly config: SchedulerConfig;
  /** Height and width of the images that it was trained on, in pixels. */
  readonly size?: number;
  /** Why it cannot be loaded. */
  readonly refused?: string;
}

const nothing: OwnSettings = { config: {} };

async function ownSettings({ source, weights }: Recognised, family: Family | undefined): Promise<OwnSettings> {
  if (family === undefined) return nothing;
  return weights === undefined ? folderSettings(source, family) : fileSettings(weights, family);
}

async function fileSettings(weights: WeightsFile, family: Family): Promise<OwnSettings> {
  const { split } = recogniseFile(weights.path, weights.tensors);
  try {
    const notes = await fileNotes({ weights, family, split });
    const { sample_size: size } = family.file.known(family.vae.name, notes);
    return { config: family.file.scheduler(notes), ...(typeof size === 'number' && { size }) };
  } catch (error) {
    if (SdError.isInstance(error)) return { config: {}, refused: error.message };
    throw error;
  }
}

/** A folder's settings. Unreadable files are left out: loading reports them. */
async function folderSettings(source: Source, { noisePredictor, vae }: Family): Promise<OwnSettings> {
  const read = (file: string) => readConfig(source, file).catch(() => undefined);
  const [index, latents, pixels, config] = await Promise.all([
    read('model_index.json'),
    read(`${noisePredictor.name}/config.json`),
    read(`${vae.name}/config.json`),
    readSchedulerConfig(source).catch(() => undefined),
  ]);
  const [side, channels, name] = [
    latents?.get('sample_size'),
    pixels?.get('block_out_channels'),
    index?.get('_name_or_path'),
  ];
  return {
    config: Object(config),
    ...(typeof side === 'number' && Array.isArray(channels) && { size: side * 2 ** (channels.length - 1) }),
    ...(typeof name === 'string' && { name }),
  };
}
