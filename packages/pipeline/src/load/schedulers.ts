import { CheckpointError, InvalidOptionError, type Scheduler, SdError, type Source, type Warning } from '@sd/core';
import {
  knownOptions,
  parseSchedulerConfig,
  type SchedulerConfig,
  schedulerByName as samplerByName,
  schedulerClasses,
  schedulerFromConfig,
  schedulerNames,
  stableDiffusionConfig,
} from '@sd/scheduler';
import { notJson } from '@sd/weights';

const file = 'scheduler/scheduler_config.json';

const plainNames = schedulerNames.filter((name) => !name.endsWith('-karras'));

export interface LoadedScheduler {
  readonly scheduler: Scheduler;
  /** The model's noise schedule with another sampler, by a short name or by diffusers' class. */
  readonly schedulerByName: (name: string) => Scheduler;
  /** One that names the options that were left out. */
  readonly warnings: readonly Warning[];
}

/** Reads a model's scheduler, with the two corrections that diffusers' Stable Diffusion pipelines make to old configs. */
export async function loadScheduler(source: Source, className?: string): Promise<LoadedScheduler> {
  const { config: known, unknown } = knownOptions(await parse(await source.read(file)));
  const config = stableDiffusionConfig(known);
  return {
    warnings: unknownOptions(unknown),
    scheduler: fromFile(config, className),
    schedulerByName(name) {
      const scheduler = samplerByName(name, config);
      if (scheduler !== undefined) return scheduler;
      if (!schedulerClasses.includes(name)) {
        throw new InvalidOptionError(
          'scheduler',
          `There is no scheduler ${JSON.stringify(name)}. There are ${plainNames.join(', ')}, most of them with -karras too, and diffusers' classes, such as ${schedulerClasses[0]}.`,
        );
      }
      return schedulerFromConfig(config, { class: name });
    },
  };
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
    throw new CheckpointError('bad-config', file, await notJson(bytes), { cause });
  }
}
