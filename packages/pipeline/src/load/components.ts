import { InvalidOptionError } from '@sd/core';
import { describe } from '@sd/core/options';
import type { Family } from '../families/family.js';
import type { LoadPipelineOptions, ReplacedComponent } from './load-options.js';
import type { Place } from './locate.js';

/** The components that the caller replaces with stages or files, or omits. */
export interface ReplacedComponents {
  readonly stages: ReadonlyMap<string, object>;
  readonly places: ReadonlyMap<string, Place>;
  readonly omitted: ReadonlySet<string>;
}

/** Reads the option `components`. Throws an InvalidOptionError for a value that is neither a stage nor files. */
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

/** Throws an InvalidOptionError for a component that the family does not have or cannot omit, or one that must be a stage. */
export function checkComponents({ stages, places, omitted }: ReplacedComponents, family: Family): void {
  const loadable = [family.noisePredictor.name, family.vae.name, 'preview_vae'];
  const all = [...family.textEncoders.flatMap(({ tokenizer, name }) => [tokenizer, name]), ...loadable, 'scheduler'];
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
    if (loadable.includes(name)) continue;
    throw new InvalidOptionError(`components.${name}`, 'must be a stage: its files belong to the model’s folder.');
  }
}
