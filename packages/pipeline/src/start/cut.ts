import type { SamplingPlan } from '@sd/core';
import type { CountedSampler } from '@sd/scheduler';

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
  const { stepCount }: Partial<CountedSampler> = plan.sampler as Partial<CountedSampler>;
  return { ...plan, levels, stepCount: stepCount?.(levels) ?? levels.length - 1 };
}
