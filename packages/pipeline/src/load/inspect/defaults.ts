import type { Detail } from '@sd/adapters';
import { SdError } from '@sd/core';
import { parseSchedulerConfig, type SchedulerConfig } from '@sd/scheduler';
import { hasFile, readConfig } from '@sd/weights';
import { fewStepDefaults } from '../../defaults/few-step.js';
import { fileNames } from '../../defaults/file-names.js';
import { detailsOf, schedulerDefaults, withOwnSolver } from '../../defaults/run-defaults.js';
import { usualDefaults } from '../../families/family.js';
import { families } from '../../families/index.js';
import type { Place } from '../locate.js';
import { addressOf } from '../model-defaults.js';
import { fileNotes } from '../single-file/notes.js';
import { recogniseFile } from '../single-file/split.js';
import type { Recognised } from './recognise.js';

/** What `generate()` uses by default with a model; of an adapter, what it changes if it is a distillation. */
export async function inspectedDefaults(
  place: Place,
  path: string | undefined,
  recognised: Recognised,
): Promise<Readonly<Record<string, Detail>>> {
  const { inspection, adapterKind, weights } = recognised;
  const { kind, family, details } = inspection;
  const isPipeline = kind === 'pipeline';
  const isModel = isPipeline || families.some(({ noisePredictor }) => noisePredictor.name === kind);
  if (!isModel && adapterKind?.distils !== true) return {};
  const { name, config } = isPipeline ? await ownSettings(recognised) : { name: undefined, config: {} };
  const distilled = fewStepDefaults({
    names: [...fileNames(addressOf(place, path), weights?.metadata), ...(name === undefined ? [] : fileNames(name))],
    isAdapter: !isModel,
    family,
    takesGuidance: details.guidanceInput === true,
  });
  const usual = isPipeline ? (families.find(({ id }) => id === family)?.defaults ?? usualDefaults) : {};
  const own = { ...usual, sampler: config._class_name, spacing: config.timestep_spacing, ...schedulerDefaults(config) };
  const changes = distilled === undefined ? {} : detailsOf(withOwnSolver(distilled, config));
  const found = [...Object.entries(own), ...Object.entries(changes)];
  return Object.fromEntries(found.filter((entry): entry is [string, Detail] => entry[1] !== undefined));
}

interface OwnSettings {
  /** The name in `model_index.json`. */
  readonly name: string | undefined;
  /** The scheduler's config. */
  readonly config: SchedulerConfig;
}

/** What a whole model says of itself; empty where it cannot be loaded, which its inspection says. */
async function ownSettings({ source, weights }: Recognised): Promise<OwnSettings> {
  if (weights !== undefined) {
    const { family, split } = recogniseFile(weights.path, weights.tensors);
    if (family === undefined) return { name: undefined, config: {} };
    const notes = await fileNotes({ source, weights, family, split });
    return { name: undefined, config: schedulerOf(() => family.file.scheduler(notes)) };
  }
  const name = (await readConfig(source, 'model_index.json')).get('_name_or_path');
  const file = 'scheduler/scheduler_config.json';
  const config = (await hasFile(source, file))
    ? parseSchedulerConfig(new TextDecoder().decode(await source.read(file)))
    : {};
  return { name: typeof name === 'string' ? name : undefined, config };
}

function schedulerOf(read: () => SchedulerConfig): SchedulerConfig {
  try {
    return read();
  } catch (error) {
    if (SdError.isInstance(error)) return {};
    throw error;
  }
}
