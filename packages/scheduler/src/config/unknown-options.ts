import { isOption, type SchedulerConfig } from './schema.js';

/** A config without the options that no class reads. */
export interface KnownOptions {
  readonly config: SchedulerConfig;
  /** Names of the options that were left out. */
  readonly unknown: readonly string[];
}

/**
 * Leaves out the options of a `scheduler_config.json` that no class knows, such as those of another version of diffusers,
 * as diffusers does. `predict_epsilon`, an option until diffusers 0.10, decides the prediction type if nothing else does.
 * @see diffusers' `ConfigMixin.extract_init_dict`; its `DDPMScheduler` of version 0.12
 */
export function knownOptions(config: SchedulerConfig): KnownOptions {
  const entries = Object.entries(config);
  const isKnown = (name: string) => name.startsWith('_') || isOption(name);
  const known = Object.fromEntries(entries.filter(([name]) => isKnown(name)));
  const unknown = entries.flatMap(([name]) => (isKnown(name) ? [] : [name]));
  return { config: config.predict_epsilon === false ? { prediction_type: 'sample', ...known } : known, unknown };
}
