import type { PromptPlan, PromptText, RunStep } from './prompt-plan.js';

/** One of the prompts at a step. */
export interface ScheduledText {
  /** Index of the text in `TextSchedule.texts`. */
  readonly text: number;
  readonly weight: number;
}

export interface TextSchedule {
  /** Every text that the run needs, without duplicates. */
  readonly texts: readonly PromptText[];
  /** The plan's parts at a step, counted from 0. */
  at(step: number): readonly ScheduledText[];
}

/** The texts of a run, and which of them are used at which step. */
export function scheduleTexts(plan: PromptPlan, { steps, firstPassSteps }: Omit<RunStep, 'step'>): TextSchedule {
  const texts: PromptText[] = [];
  const indexes = new Map<string, number>();
  const indexOf = (text: PromptText): number => {
    const key = JSON.stringify(text);
    const index = indexes.get(key) ?? texts.push(text) - 1;
    indexes.set(key, index);
    return index;
  };
  const schedule = Array.from({ length: Math.max(steps, 1) }, (_, step) =>
    plan.parts.map((part) => ({ text: indexOf(part.at({ step, steps, firstPassSteps })), weight: part.weight })),
  );
  return { texts, at: (step) => schedule[Math.min(Math.max(step, 0), schedule.length - 1)] };
}
