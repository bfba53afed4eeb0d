import type { GenerateResult, PipelineEvent, StepEvent } from './generate/events.js';

/** Takes a run to its end, and calls back after every step; if that throws, the run is ended before the error goes on. */
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
