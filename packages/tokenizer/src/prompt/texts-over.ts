import type { PromptPlan, PromptText, RunStep } from './plan.js';

/** One of the prompts at a step: which text, and how much of it. */
export interface PartAtStep {
  readonly text: number;
  readonly weight: number;
}

export interface TextsOver {
  /** Every text that the run needs, each once. */
  readonly texts: readonly PromptText[];
  /** The plan's parts at a step, counted from 0. */
  at(step: number): readonly PartAtStep[];
}

/** The texts of a run, and which of them are in force at which step. */
export function textsOver(plan: PromptPlan, { steps, firstPassSteps }: Omit<RunStep, 'step'>): TextsOver {
  const texts: PromptText[] = [];
  const known = new Map<string, number>();
  const indexOf = (text: PromptText): number => {
    const key = JSON.stringify(text);
    const index = known.get(key) ?? texts.push(text) - 1;
    known.set(key, index);
    return index;
  };
  const atStep = Array.from({ length: Math.max(steps, 1) }, (_, step) =>
    plan.parts.map((part) => ({
      text: indexOf(part.at({ step, steps, ...(firstPassSteps !== undefined && { firstPassSteps }) })),
      weight: part.weight,
    })),
  );
  return { texts, at: (step) => atStep[Math.min(Math.max(step, 0), atStep.length - 1)]! };
}
