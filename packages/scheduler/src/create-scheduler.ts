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

/** Chooses the levels of a run, from most noise to least: one more than its steps. */
export type Spacing = (schedule: NoiseSchedule, steps: number) => NoiseLevel[];

/** A sampler that does not yield once per level, or calls the model more often than it yields. */
export type CountedSampler = Sampler & {
  /** How many times a run over these levels yields; by default once for each level after the first. */
  readonly stepCount?: (levels: readonly NoiseLevel[]) => number;
  /** How many times it calls the model; by default as often as it yields. */
  readonly callCount?: (levels: readonly NoiseLevel[]) => number;
};

/** A plan's counts for a run over these levels: how often the sampler yields, and how often it calls the model. */
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
  /** The model's prediction type; epsilon by default. */
  readonly prediction?: Prediction;
  readonly name?: string;
  /** Standard deviation of the initial noise; the first level's sigma by default. */
  readonly initialSigma?: number;
}

/**
 * Combines a noise schedule, a spacing and a sampler. `plan(steps)` throws an InvalidOptionError unless `steps` is an
 * integer from 1 to the schedule's number of training steps.
 */
export function createScheduler(parts: SchedulerParts): Scheduler {
  const { schedule, spacing, sampler, prediction = 'epsilon', name, initialSigma } = parts;
  return {
    prediction,
    name,
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
  noise?: SamplingPlan['noise'],
): SamplingPlan {
  return { levels, sampler, initialSigma, ...countsOf(sampler, levels), ...(noise && { noise }) };
}

export function checkSteps(steps: number, trainTimesteps: number): void {
  checkCount('steps', steps);
  if (steps > trainTimesteps) {
    throw new InvalidOptionError(
      'steps',
      `${steps} is more than the ${trainTimesteps} steps that the model was trained with.`,
    );
  }
}
