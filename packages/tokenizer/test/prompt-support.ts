import type { Fragment, PromptPlan } from '../src/prompt.js';

/** The fragments of a part of a plan at a step, with `BREAK` between sections. */
export function fragmentsAt(plan: PromptPlan, step = 0, steps = 10, part = 0): (readonly [string, number] | 'BREAK')[] {
  const { clauses } = plan.parts[part].at({ step, steps });
  const pairs = ({ text, weight }: Fragment) => [text, weight] as const;
  return clauses[0].mix[0].sections.flatMap((section, i) => [
    ...(i > 0 ? (['BREAK'] as const) : []),
    ...section.map(pairs),
  ]);
}

/** A plan's text at each step, without its weights. */
export function textsAt(plan: PromptPlan, steps: number, firstPassSteps?: number): string[] {
  return Array.from({ length: steps }, (_, step) => {
    const { clauses } = plan.parts[0].at({ step, steps, firstPassSteps });
    return clauses[0].mix[0].sections
      .flat()
      .map(({ text }) => text)
      .join('');
  });
}

/** Random texts of these pieces, the same ones on every call. */
export function* randomTexts(pieces: readonly string[], count: number, longest = 16): Generator<string> {
  let state = 1;
  const below = (n: number) => {
    state = (state * 48271) % 2147483647;
    return state % n;
  };
  for (let i = 0; i < count; i++) {
    yield Array.from({ length: below(longest) }, () => pieces[below(pieces.length)]).join('');
  }
}
