import type { Adapter } from '@sd/adapters';
import type { Warning } from '@sd/core';
import { describeDefaults, type RunDefaults } from '../defaults/run-defaults.js';

/** An attached adapter, with the defaults that it brings if it is a distillation. */
export type AttachedAdapter = Adapter & { readonly defaults?: RunDefaults };

/** The defaults of the adapter that was attached last among those that bring any and that a run does not turn off. */
export function attachedDefaults(
  adapters: readonly AttachedAdapter[],
  settings: Readonly<Record<string, unknown>> = {},
): RunDefaults | undefined {
  return bringing(adapters, settings).at(-1)?.defaults;
}

/** A warning that names the adapter that sets the defaults, if adapters disagree. */
export function disagreement(
  adapters: readonly AttachedAdapter[],
  settings: Readonly<Record<string, unknown>> = {},
): Warning[] {
  const all = bringing(adapters, settings);
  const last = all.at(-1);
  const other = all.find(({ defaults }) => describe(defaults) !== describe(last?.defaults));
  if (last === undefined || other === undefined) return [];
  const message = `${other.name} (${describeDefaults(other.defaults)}) and ${last.name} (${describeDefaults(last.defaults)}) need different settings. Those of ${last.name}, which was attached last, are the defaults.`;
  return [{ code: 'defaults-differ', message }];
}

const describe = (defaults: RunDefaults | undefined) => JSON.stringify(defaults);

type Distilled = AttachedAdapter & { readonly defaults: RunDefaults };

function bringing(adapters: readonly AttachedAdapter[], settings: Readonly<Record<string, unknown>>): Distilled[] {
  return adapters.filter(
    (adapter): adapter is Distilled => adapter.defaults !== undefined && Object(settings)[adapter.name] !== 0,
  );
}
