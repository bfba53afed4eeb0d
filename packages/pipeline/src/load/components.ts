import { InvalidOptionError } from '@sd/core';
import { describe } from '@sd/core/options';
import type { Family } from '../families/family.js';
import type { LoadPipelineOptions, ReplacedComponent } from './load-options.js';
import type { Place } from './locate.js';

/** The components that a caller provides: stages as they are, and places of files. */
export interface ReplacedComponents {
  readonly stages: ReadonlyMap<string, object>;
  readonly places: ReadonlyMap<string, Place>;
  /** Components to do without. */
  readonly omitted: ReadonlySet<string>;
}

/** Sorts the components that were given. Throws an InvalidOptionError for what is neither a stage nor a place. */
export function readComponents({ components = {} }: LoadPipelineOptions): ReplacedComponents {
  const stages = new Map<string, object>();
  const places = new Map<string, Place>();
  const omitted = new Set<string>();
  for (const [name, value] of Object.entries(components)) {
    if (value === undefined) continue;
    if (value === null) omitted.add(name);
    else if (isPlace(value)) places.set(name, value);
    else if (typeof value === 'object') stages.set(name, value);
    else {
      throw new InvalidOptionError(`components.${name}`, `must be a stage or files, not ${describe(value)}.`);
    }
  }
  return { stages, places, omitted };
}

function isPlace(value: NonNullable<ReplacedComponent>): value is Place {
  if (typeof value === 'string' || value instanceof URL) return true;
  return typeof value === 'object' && (value instanceof Blob || 'read' in value);
}

/** Throws an InvalidOptionError for a component that a family does not have, or whose files cannot be given apart. */
export function checkComponents({ stages, places, omitted }: ReplacedComponents, family: Family): void {
  const withFiles = [family.noisePredictor.name, family.vae.name, 'preview_vae'];
  const all = [...family.textEncoders.flatMap(({ tokenizer, name }) => [tokenizer, name]), ...withFiles, 'scheduler'];
  for (const name of [...stages.keys(), ...places.keys()]) {
    if (all.includes(name)) continue;
    throw new InvalidOptionError(
      `components.${name}`,
      `is not a component of ${family.title}. Its components are ${all.join(', ')}.`,
    );
  }
  const optional = family.textEncoders.filter((component) => component.optional).map(({ name }) => name);
  for (const name of omitted) {
    if (optional.includes(name)) continue;
    const advice = optional.length === 0 ? '' : ` It can do without ${optional.join(', ')}.`;
    throw new InvalidOptionError(`components.${name}`, `is needed by ${family.title}.${advice}`);
  }
  for (const name of places.keys()) {
    if (withFiles.includes(name)) continue;
    throw new InvalidOptionError(`components.${name}`, 'must be a stage: its files belong to the model’s folder.');
  }
}
