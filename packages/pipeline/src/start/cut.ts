import { InvalidOptionError, type Sampler, type SamplingPlan, type Scheduler } from '@sd/core';
import { countsOf } from '@sd/scheduler';

/** Which part of its steps a run takes. */
export interface RunPart {
  /** The last ones of them, so many as this part of all. */
  readonly strength?: number;
  /** Those that begin at or after this part of the training's noise, 0 to 1. */
  readonly denoisingStart?: number;
  /** Those that begin before it. */
  readonly denoisingEnd?: number;
}

/** The plan of a run, cut to its part. Throws an InvalidOptionError where no step is left. */
export function planOfRun(scheduler: Scheduler, steps: number, part: RunPart): SamplingPlan {
  const { strength, denoisingStart, denoisingEnd } = part;
  let plan = scheduler.plan(steps);
  if (strength !== undefined) plan = lastSteps(plan, steps, stepsFor(steps, strength));
  if (denoisingStart !== undefined) plan = startingAt(plan, timestepAt('denoisingStart', denoisingStart, scheduler));
  if (denoisingEnd !== undefined) plan = endingAt(plan, timestepAt('denoisingEnd', denoisingEnd, scheduler));
  return plan;
}

/** diffusers' `discrete_timestep_cutoff`, rounded as Python does. */
function timestepAt(option: string, part: number, { trainTimesteps = 1000 }: Scheduler): Cut {
  const timestep = trainTimesteps - part * trainTimesteps;
  return { option, part, timestep: Math.round(timestep) - (timestep % 2 === 0.5 ? 1 : 0) };
}

interface Cut {
  readonly option: string;
  readonly part: number;
  readonly timestep: number;
}

function startingAt(plan: SamplingPlan, cut: Cut): SamplingPlan {
  const steps = plan.levels.length - 1;
  const skipped = plan.levels.findIndex(({ timestep }) => timestep < cut.timestep);
  if (skipped < 0 || skipped >= steps) throw nothingLeft(cut);
  return lastSteps(plan, steps, steps - skipped);
}

/** The sampler is not told that it will end early: what it does at the end of a run, it does not do. */
function endingAt(plan: SamplingPlan, cut: Cut): SamplingPlan {
  const { levels } = plan;
  if (levels[0]!.timestep < cut.timestep) throw nothingLeft(cut);
  const reached = levels.findIndex(({ timestep }) => timestep < cut.timestep);
  if (reached < 0 || reached === levels.length - 1) return plan;
  const sampler: Sampler = async function* (...run) {
    for await (const step of plan.sampler(...run)) {
      yield step;
      if (step.level.timestep < cut.timestep) return;
    }
  };
  return { ...plan, sampler, ...countsOf(plan.sampler, levels.slice(0, reached + 1)) };
}

function nothingLeft({ option, part }: Cut): InvalidOptionError {
  return new InvalidOptionError(option, `${part} leaves no step to take: more steps are needed, or another part.`);
}

/** How many of a run's steps a strength leaves: diffusers' `min(int(steps * strength), steps)`. */
export function stepsFor(steps: number, strength: number): number {
  return Math.min(Math.trunc(steps * strength), steps);
}

/**
 * A plan without its first steps, `steps` in all: diffusers' `timesteps[t_start * order:]`, where t_start is how many are
 * left out. Samplers with a warm-up have it at the new start.
 */
export function lastSteps(plan: SamplingPlan, steps: number, kept: number): SamplingPlan {
  if (kept === steps) return plan;
  const levels = plan.levels.slice(steps - kept);
  return { ...plan, levels, ...countsOf(plan.sampler, levels) };
}
