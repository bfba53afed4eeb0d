import {
  CheckpointError,
  InvalidOptionError,
  messageOf,
  readText,
  type Scheduler,
  SdError,
  type Source,
  show,
  type Warning,
} from '@sd/core';
import { nearestName } from '@sd/core/options';
import {
  knownOptions,
  parseSchedulerConfig,
  type SchedulerConfig,
  schedulerByName as samplerByName,
  schedulerClasses,
  schedulerFromConfig,
  schedulerNamed,
  schedulerNames,
  stableDiffusionConfig,
} from '@sd/scheduler';
import { notJson } from '@sd/weights';

import type { SchedulerDefaults } from '../defaults/run-defaults.js';

const file = 'scheduler/scheduler_config.json';

const plainNames = schedulerNames.filter((name) => !name.endsWith('-karras'));

export interface LoadedScheduler {
  readonly scheduler: Scheduler;
  readonly schedulerConfig: SchedulerConfig;
  /**
   * The model's noise schedule with another sampler, by a short name or by diffusers' class; spaced as `defaults` say, if
   * they are given.
   */
  readonly schedulerByName: (name: string, defaults?: SchedulerDefaults) => Scheduler;
  /** The model's scheduler, changed as a distillation needs it. */
  readonly schedulerWith: (defaults: SchedulerDefaults) => Scheduler;
  /** A warning that names the options that were left out. */
  readonly warnings: readonly Warning[];
}

/** Reads a model's scheduler, with the two corrections that diffusers' Stable Diffusion pipelines make to old configs. */
export async function loadScheduler(source: Source, className?: string): Promise<LoadedScheduler> {
  const { config: known, unknown } = knownOptions(await readSchedulerConfig(source));
  const config = stableDiffusionConfig(known);
  return {
    warnings: unknownOptions(unknown),
    scheduler: fromFile(config, className),
    schedulerConfig: config,
    schedulerWith: ({ config: { _class_name = className, ...changes }, step, timesteps }) =>
      schedulerFromConfig({ ...config, ...changes }, { class: _class_name, step, timesteps }),
    schedulerByName(name, defaults) {
      const { _class_name, ...changes } = defaults?.config ?? {};
      const changed = { ...config, ...changes };
      const scheduler = samplerByName(schedulerNamed(name), changed);
      if (scheduler !== undefined) return scheduler;
      if (!schedulerClasses.includes(name)) {
        throw new InvalidOptionError(
          'scheduler',
          `There is no scheduler ${show(name)}.${hintFor(name)} There are ${plainNames.join(', ')}, most of them with -karras too, and diffusers' classes, such as ${schedulerClasses[0]}.`,
        );
      }
      return schedulerFromConfig(changed, { class: name });
    },
  };
}

function hintFor(name: string): string {
  const nearest = nearestName(schedulerNamed(name), [...schedulerNames, ...schedulerClasses]);
  return nearest === undefined ? '' : ` Did you mean ${nearest}?`;
}

function unknownOptions(names: readonly string[]): Warning[] {
  if (names.length === 0) return [];
  return [
    {
      code: 'unknown-settings',
      message: `${file}: no scheduler has the options ${names.join(', ')}. They are left out.`,
    },
  ];
}

/** The config of a model's scheduler as it is in its folder. Rejects with a SourceError or a CheckpointError. */
export async function readSchedulerConfig(source: Source): Promise<SchedulerConfig> {
  return parse(await readText(source, file));
}

function fromFile(config: SchedulerConfig, className: string | undefined): Scheduler {
  try {
    return schedulerFromConfig(config, { class: className });
  } catch (error) {
    if (!SdError.isInstance(error) || error.code !== 'invalid-option') throw error;
    throw new CheckpointError('bad-config', file, error.message, { cause: error });
  }
}

async function parse(bytes: Uint8Array): Promise<SchedulerConfig> {
  try {
    return parseSchedulerConfig(new TextDecoder().decode(bytes));
  } catch (cause) {
    const problem = messageOf(cause).replace(/^config: /, '');
    throw new CheckpointError('bad-config', file, problem.startsWith('is not JSON:') ? await notJson(bytes) : problem, {
      cause,
    });
  }
}
