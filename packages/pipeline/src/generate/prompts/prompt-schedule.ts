import { InvalidOptionError } from '@sd/core';
import type { PromptPlan, PromptText } from '@sd/tokenizer/prompt';
import type { PassSteps, PromptInput } from './prompt-request.js';

/** The texts that are encoded to one context of the noise predictor. */
export interface Context {
  /** The option that they were passed as, for messages. */
  readonly option: string;
  /** One text per encoder; further encoders use the first. */
  readonly texts: readonly PromptText[];
  /** The context that this one is blended with. */
  readonly blendWith?: Context;
}

export interface WeightedContext {
  readonly context: Context;
  readonly weight: number;
}

/** The contexts of a run's prompts, and which of them each step uses. */
export interface PromptSchedule {
  /** All contexts that the run needs, without duplicates. */
  readonly contexts: readonly Context[];
  /** The prompts at a step of a pass, both counted from 0. */
  at(pass: number, step: number): readonly WeightedContext[];
}

/**
 * Schedules one prompt over all passes. Throws an InvalidOptionError if an alternative text and the prompt have different
 * numbers of `AND` parts.
 */
export function schedulePrompt(
  { option, text, weight, alternatives = [] }: PromptInput,
  parse: (text: string) => PromptPlan,
  passes: readonly PassSteps[],
): PromptSchedule {
  const plans = [text, ...alternatives].map((written = text) => parse(written));
  const { parts } = plans[0];
  plans.forEach((plan, i) => {
    if (plan.parts.length === parts.length) return;
    const counts = `${parts.length}, not ${plan.parts.length}`;
    throw new InvalidOptionError(`${option}${i + 1}`, `must have as many AND parts as ${option}: ${counts}.`);
  });

  const contexts = new Map<string, Context>();
  const contextOf = (texts: readonly PromptText[]): Context => {
    const key = JSON.stringify(texts);
    const context = contexts.get(key) ?? { option, texts };
    contexts.set(key, context);
    return context;
  };
  const schedule = passes.map((pass) =>
    Array.from({ length: Math.max(1, pass.steps) }, (_, step) =>
      parts.map((part, i) => ({
        context: contextOf(plans.map((plan) => plan.parts[i].at({ step, ...pass }))),
        weight: part.weight * weight,
      })),
    ),
  );
  return {
    contexts: [...contexts.values()],
    at: (pass, step) => schedule[pass][Math.min(step, schedule[pass].length - 1)],
  };
}

/** Composes several prompts into one image. */
export function composeSchedules(schedules: readonly PromptSchedule[]): PromptSchedule {
  return {
    contexts: schedules.flatMap(({ contexts }) => contexts),
    at: (pass, step) => schedules.flatMap((schedule) => schedule.at(pass, step)),
  };
}

/**
 * Blends the single prompt of a run with another one, if there is one. Throws an InvalidOptionError if either changes over
 * the steps.
 */
export function blendSchedules(from: PromptSchedule, to: PromptSchedule | undefined): PromptSchedule {
  if (from.contexts.length > 1 || (to !== undefined && to.contexts.length > 1)) {
    throw new InvalidOptionError('blend', 'cannot be combined with prompts that change over the steps.');
  }
  if (to === undefined) return from;
  const context = { ...from.contexts[0], blendWith: to.contexts[0] };
  return { contexts: [context], at: (pass, step) => from.at(pass, step).map(({ weight }) => ({ context, weight })) };
}
