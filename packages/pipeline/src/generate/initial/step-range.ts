import { InvalidOptionError, type Sampler, type SamplingPlan, type Scheduler } from '@sd/core';
import { countsOf } from '@sd/scheduler';

/** Which of its scheduler's steps a run takes: all, if nothing is said. */
export interface StepRange {
  /** The last steps: a fraction of all, and how many they are, as image to image takes them. */
  readonly strength?: number | undefined;
  readonly kept?: number | undefined;
  /** The steps that begin at or after this fraction of the training noise, 0 to 1. */
  readonly denoisingStart?: number | undefined;
  /** The steps that begin before this fraction. */
  readonly denoisingEnd?: number | undefined;
}

/** How many of a run's steps a strength leaves: diffusers' `min(int(steps * strength), steps)`. */
export function stepsFor(steps: number, strength: number): number {
  return Math.min(Math.trunc(steps * strength), steps);
}

/** The plan of a run, cut to a range of its steps. Throws an InvalidOptionError where no step is left. */
export function planSteps(scheduler: Scheduler, steps: number, range: StepRange): SamplingPlan {
  const { kept, denoisingStart, denoisingEnd } = range;
  let plan = scheduler.plan(steps);
  if (kept !== undefined) plan = lastSteps(plan, steps, kept);
  if (denoisingStart !== undefined) plan = startingAt(plan, cutoffAt('denoisingStart', denoisingStart, scheduler));
  if (denoisingEnd !== undefined) plan = endingAt(plan, cutoffAt('denoisingEnd', denoisingEnd, scheduler));
  return plan;
}

interface Cutoff {
  readonly option: string;
  readonly fraction: number;
  readonly timestep: number;
}

/** diffusers' `discrete_timestep_cutoff`, rounded as Python rounds: halves to even. */
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

/** The sampler does not know that the run ends early, so it does nothing special at the last step that is taken. */
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
  return new InvalidOptionError(
    option,
    `${fraction} leaves no step to take: more steps are needed, or another fraction.`,
  );
}

/**
 * The last `kept` of a plan's `steps`: diffusers' `timesteps[t_start * order:]`, where t_start is how many are left out.
 * Samplers with a warm-up have it at the new start.
 */
export function lastSteps(plan: SamplingPlan, steps: number, kept: number): SamplingPlan {
  if (kept === steps) return plan;
  const levels = plan.levels.slice(steps - kept);
  return { ...plan, levels, ...countsOf(plan.sampler, levels) };
}
