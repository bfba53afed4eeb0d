import {
  InvalidOptionError,
  type NoiseLevel,
  type Prediction,
  type Sampler,
  type SamplingPlan,
  type Scheduler,
} from '@sd/core';
import { checkCount } from './numbers.js';
import type { NoiseSchedule } from './schedules/noise-schedule.js';

/** Chooses the levels that a run passes, from most noise to least: one more than its steps. */
export type Spacing = (schedule: NoiseSchedule, steps: number) => NoiseLevel[];

/** A sampler that yields more or less often than once a level, or calls the model more often than it yields. */
export type CountedSampler = Sampler & {
  /** How often a run over these levels yields; once for each after the first, if left out. */
  readonly stepCount?: (levels: readonly NoiseLevel[]) => number;
  /** How often it calls the model; as often as it yields, if left out. */
  readonly callCount?: (levels: readonly NoiseLevel[]) => number;
};

/** What a plan says of a run over these levels: how often the sampler yields, and calls the model. */
export function countsOf(
  sampler: CountedSampler,
  levels: readonly NoiseLevel[],
): Required<Pick<SamplingPlan, 'stepCount' | 'callCount'>> {
  const stepCount = sampler.stepCount?.(levels) ?? levels.length - 1;
  return { stepCount, callCount: sampler.callCount?.(levels) ?? stepCount };
}

export interface SchedulerParts {
  readonly schedule: NoiseSchedule;
  readonly spacing: Spacing;
  readonly sampler: CountedSampler;
  /** What the model predicts; epsilon if left out. */
  readonly prediction?: Prediction;
  readonly name?: string;
  /** Standard deviation of the noise to start from; the first level's sigma if left out. */
  readonly initialSigma?: number;
}

/**
 * Puts a noise schedule, a spacing and a sampler together. `plan(steps)` throws an InvalidOptionError unless `steps` is
 * a whole number from 1 to the schedule's training steps.
 */
export function createScheduler(parts: SchedulerParts): Scheduler {
  const { schedule, spacing, sampler, prediction = 'epsilon', name, initialSigma } = parts;
  return {
    prediction,
    ...(name !== undefined && { name }),
    trainTimesteps: schedule.trainTimesteps,
    plan(steps) {
      checkSteps(steps, schedule.trainTimesteps);
      return planOf(spacing(schedule, steps), sampler, initialSigma);
    },
  };
}

export function planOf(
  levels: readonly NoiseLevel[],
  sampler: CountedSampler,
  initialSigma: number = levels[0].sigma,
): SamplingPlan {
  return { levels, sampler, initialSigma, ...countsOf(sampler, levels) };
}

export function checkSteps(steps: number, trainTimesteps: number): void {
  checkCount('steps', steps);
  if (steps > trainTimesteps) {
    throw new InvalidOptionError('steps', `${steps} is more than the ${trainTimesteps} steps of the model's training.`);
  }
}
