import { fewStepDefaults } from '../defaults/few-step.js';
import { fileNames } from '../defaults/file-names.js';
import { type RunDefaults, schedulerDefaults, withOwnSolver } from '../defaults/run-defaults.js';
import type { ReplacedComponents } from './components.js';
import type { LoadedStages } from './load-stages.js';
import type { Place } from './locate.js';
import type { ModelFiles } from './model-files.js';
import type { ModelIndex } from './model-index.js';

interface LoadedModel {
  readonly source: Place | undefined;
  /** The option `path`. */
  readonly path: string | undefined;
  readonly model: ModelFiles;
  readonly index: ModelIndex;
  readonly replaced: ReplacedComponents;
  readonly stages: Pick<LoadedStages, 'noisePredictor' | 'schedulerConfig'>;
}

/** The defaults of a distilled model, recognized by its names and inputs; undefined for other models. */
export function modelDefaults({ source, path, model, index, replaced, stages }: LoadedModel): RunDefaults | undefined {
  const { family, values, schedulerClass } = index;
  const { noisePredictor: stage, schedulerConfig } = stages;
  const noisePredictor = replaced.places.get(family.noisePredictor.name);
  const places = [noisePredictor, source].filter((place) => place !== undefined);
  const named = values._name_or_path;
  const defaults = fewStepDefaults({
    names: [
      ...places.flatMap((place) => fileNames(addressOf(place, path))),
      ...fileNames('', model.metadata),
      ...(typeof named === 'string' ? fileNames(named) : []),
    ],
    isAdapter: false,
    family: family.id,
    takesGuidance: stage.needs?.some(({ name }) => name === 'timestep_cond') === true,
  });
  if (schedulerConfig === undefined) return defaults;
  if (defaults === undefined) return schedulerDefaults({ ...schedulerConfig, _class_name: schedulerClass });
  return withOwnSolver(defaults, schedulerConfig, schedulerClass);
}

/** A place as text: its path, URL or name. */
export function addressOf(place: Place, path = ''): string {
  if (typeof place === 'string' || place instanceof URL) return path === '' ? String(place) : `${place}/${path}`;
  const named = (place as { readonly name?: unknown } | null | undefined)?.name;
  const name = typeof named === 'string' ? named : '';
  return place instanceof Blob ? name : `${name}/${path}`;
}
