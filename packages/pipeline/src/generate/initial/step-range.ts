import { InvalidOptionError, type Sampler, type SamplingPlan, type Scheduler, show } from '@sd/core';
import { countsOf } from '@sd/scheduler';

/** Which of the scheduler's steps a run takes: all of them by default. */
export interface StepRange {
  /** Image to image: the fraction of the steps to take, from the end. */
  readonly strength?: number | undefined;
  /** The number of steps that `strength` keeps. */
  readonly kept?: number | undefined;
  /** Takes only steps from this fraction of the training noise schedule on, 0 to 1. */
  readonly denoisingStart?: number | undefined;
  /** Takes only steps before this fraction. */
  readonly denoisingEnd?: number | undefined;
}

/** How many of a run's steps a strength keeps: diffusers' `min(int(steps * strength), steps)`. */
export function stepsFor(steps: number, strength: number): number {
  return Math.min(Math.trunc(steps * strength), steps);
}

/** Plans a run and limits it to a range of steps. Throws an InvalidOptionError if none is left. */
export function planSteps(scheduler: Scheduler, steps: number, range: StepRange): SamplingPlan {
  const { kept, denoisingStart, denoisingEnd } = range;
  let plan = plannedBy(scheduler, steps);
  if (kept !== undefined) plan = lastSteps(plan, steps, kept);
  if (denoisingStart !== undefined) plan = startingAt(plan, cutoffAt('denoisingStart', denoisingStart, scheduler));
  if (denoisingEnd !== undefined) plan = endingAt(plan, cutoffAt('denoisingEnd', denoisingEnd, scheduler));
  return plan;
}

/** The caller may pass a custom scheduler. */
function plannedBy(scheduler: Scheduler, steps: number): SamplingPlan {
  const plan: SamplingPlan | null = scheduler.plan(steps);
  if (Array.isArray(plan?.levels) && typeof plan?.sampler === 'function') return plan;
  throw new InvalidOptionError('scheduler', `its plan(steps) must give { levels, sampler }, not ${show(plan)}.`);
}

interface Cutoff {
  readonly option: string;
  readonly fraction: number;
  readonly timestep: number;
}

/** diffusers' `discrete_timestep_cutoff`, rounded as in Python: half to even. */
function cutoffAt(option: string, fraction: number, { trainTimesteps = 1000 }: Scheduler): Cutoff {
  const timestep = trainTimesteps - fraction * trainTimesteps;
  return { option, fraction, timestep: Math.round(timestep) - (timestep % 2 === 0.5 ? 1 : 0) };
}

function startingAt(plan: SamplingPlan, cutoff: Cutoff): SamplingPlan {
  const steps = plan.levels.length - 1;
  const skipped = plan.levels.findIndex(({ timestep }) => timestep < cutoff.timestep);
  if (skipped < 0 || skipped >= steps) throw noStepLeft(cutoff);
  return lastSteps(plan, steps, steps - skipped);
}

/** Stops the sampler early. It sees all levels, so it does not treat the last step taken as its last one. */
function endingAt(plan: SamplingPlan, cutoff: Cutoff): SamplingPlan {
  const { levels } = plan;
  if (levels[0].timestep < cutoff.timestep) throw noStepLeft(cutoff);
  const reached = levels.findIndex(({ timestep }) => timestep < cutoff.timestep);
  if (reached < 0 || reached === levels.length - 1) return plan;
  const sampler: Sampler = async function* (...run) {
    for await (const step of plan.sampler(...run)) {
      yield step;
      if (step.level.timestep < cutoff.timestep) return;
    }
  };
  return { ...plan, sampler, ...countsOf(plan.sampler, levels.slice(0, reached + 1)) };
}

function noStepLeft({ option, fraction }: Cutoff): InvalidOptionError {
  return new InvalidOptionError(option, `${fraction} leaves no steps to take: use more steps or another fraction.`);
}

/**
 * Keeps the last `kept` of a plan's `steps`: diffusers' `timesteps[t_start * order:]`. Samplers with a warm-up do it at the
 * new start.
 */
export function lastSteps(plan: SamplingPlan, steps: number, kept: number): SamplingPlan {
  if (kept === steps) return plan;
  const levels = plan.levels.slice(steps - kept);
  return { ...plan, levels, ...countsOf(plan.sampler, levels) };
}
