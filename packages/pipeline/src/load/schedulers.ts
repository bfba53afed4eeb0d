import { CheckpointError, InvalidOptionError, readText, type Scheduler, SdError, type Source } from '@sd/core';
import {
  parseSchedulerConfig,
  type SchedulerConfig,
  schedulerByName as samplerByName,
  schedulerClasses,
  schedulerFromConfig,
  schedulerNames,
  stableDiffusionConfig,
} from '@sd/scheduler';

const file = 'scheduler/scheduler_config.json';

const plainNames = schedulerNames.filter((name) => !name.endsWith('-karras'));

export interface LoadedScheduler {
  readonly scheduler: Scheduler;
  /** The model's noise schedule with another sampler, by a short name or by diffusers' class. */
  readonly schedulerByName: (name: string) => Scheduler;
}

/** Reads a model's scheduler, with the two corrections that diffusers' Stable Diffusion pipelines make to old configs. */
export async function loadScheduler(source: Source, className?: string): Promise<LoadedScheduler> {
  const config = stableDiffusionConfig(parse(await readText(source, file)));
  return {
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

function fromFile(config: SchedulerConfig, className: string | undefined): Scheduler {
  try {
    return schedulerFromConfig(config, { class: className });
  } catch (error) {
    if (!SdError.isInstance(error) || error.code !== 'invalid-option') throw error;
    throw new CheckpointError('bad-config', file, error.message, { cause: error });
  }
}

function parse(bytes: Uint8Array): SchedulerConfig {
  let config: unknown;
  try {
    config = parseSchedulerConfig(new TextDecoder().decode(bytes));
  } catch (cause) {
    throw new CheckpointError('bad-config', file, 'is not JSON.', { cause });
  }
  if (typeof config === 'object' && config !== null && !Array.isArray(config)) return config as SchedulerConfig;
  throw new CheckpointError('bad-config', file, 'is not a JSON object.');
}
