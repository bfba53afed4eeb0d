import type { SchedulerConfig, StepOptions } from '@sd/scheduler';

/** Changes to a model's scheduler that a distillation needs. */
export interface SchedulerDefaults {
  /** Values that replace those of the model's `scheduler_config.json`, under diffusers' names; `_class_name` the class. */
  readonly config: SchedulerConfig;
  /** True if other classes than `_class_name` work too, so that the class in the model's config is kept. */
  readonly keepsSolver?: boolean;
  /** Arguments of diffusers' `step`. */
  readonly step?: StepOptions;
  /** Exact timesteps, for runs with as many steps. */
  readonly timesteps?: readonly number[];
}

/** Values for options that `generate()` is not given. Missing ones come from the model or its family. */
export interface RunDefaults {
  /** The method of distillation, if it is a distilled model or adapter: `SDXL-Lightning`. */
  readonly title?: string;
  readonly steps?: number;
  readonly guidanceScale?: number;
  readonly scheduler?: SchedulerDefaults;
  /** The strength of a LoRA that a run does not mention: 1 by default. */
  readonly strength?: number;
}

/** The defaults that follow from a model's scheduler: Playground v2.5 needs less guidance than its family. */
export function schedulerDefaults({ _class_name: name, sigma_data = 0.5 }: SchedulerConfig): RunDefaults | undefined {
  return name?.startsWith('EDM') === true && sigma_data !== 1 ? { guidanceScale: 3 } : undefined;
}

/** The schedulers of the undistilled models, which the config of a distilled model may have kept. */
const undistilled = /^(PNDM|DDIM|DDPM|EulerDiscrete)Scheduler$/;

/** A distilled model's defaults, with the solver of its config where it works as well as the authors'. */
export function withOwnSolver(
  defaults: RunDefaults,
  config: SchedulerConfig,
  ownClass = config._class_name,
): RunDefaults {
  const { scheduler } = defaults;
  if (scheduler?.keepsSolver !== true || ownClass === undefined) return defaults;
  if (undistilled.test(ownClass) && config.timestep_spacing !== 'trailing') return defaults;
  return { ...defaults, scheduler: { ...scheduler, config: { ...scheduler.config, _class_name: ownClass } } };
}

/** A short description, for messages: `LCMScheduler, 4 steps, guidance scale 1`. */
export function describeDefaults({ scheduler, steps, guidanceScale }: RunDefaults): string {
  return [
    scheduler?.config._class_name,
    steps === undefined ? undefined : `${steps} ${steps === 1 ? 'step' : 'steps'}`,
    guidanceScale === undefined ? undefined : `guidance scale ${guidanceScale}`,
  ]
    .filter((part) => part !== undefined)
    .join(', ');
}

/** The details that `inspect()` reports. */
export function detailsOf({ title, steps, guidanceScale, scheduler, strength }: RunDefaults) {
  const { config, step, timesteps } = scheduler ?? {};
  return {
    distillation: title,
    steps,
    guidanceScale,
    sampler: config?._class_name,
    spacing: config?.timestep_spacing as string | undefined,
    timesteps,
    eta: step?.eta,
    prediction: config?.prediction_type as string | undefined,
    strength,
  };
}
