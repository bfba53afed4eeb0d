import type { GenerateResult, PipelineEvent, StepEvent } from './generate/events.js';

/** Runs to the end, and calls back after every step. If the callback throws, ends the run, then rethrows its error. */
export async function notifySteps(
  events: AsyncGenerator<PipelineEvent, GenerateResult, void>,
  onStep: ((step: StepEvent) => void | Promise<void>) | undefined,
): Promise<GenerateResult> {
  for (;;) {
    const { done, value } = await events.next();
    if (done) return value;
    if (value.type !== 'step' || onStep === undefined) continue;
    try {
      await onStep(value);
    } catch (error) {
      await events.return(undefined as never);
      throw error;
    }
  }
}
