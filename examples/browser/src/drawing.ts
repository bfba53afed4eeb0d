import type { GenerateOptions, GenerateResult, StepEvent } from '@sd/pipeline';
import type { WorkerPipeline } from '@sd/pipeline/worker';
import type { Pixels } from './pixels.js';
import type { Settings } from './settings.js';

/** What a drawing starts from, beside noise. */
export interface Start {
  readonly image: Pixels | undefined;
  readonly mask: Pixels | undefined;
  readonly strength: number;
}

export interface Watcher {
  readonly signal: AbortSignal;
  onStep(step: StepEvent, preview: Pixels): void;
}

/** The pipeline's options for what the person set. */
function optionsOf(settings: Settings, { image, mask, strength }: Start): GenerateOptions {
  const { scheduler, seed, ...plain } = settings;
  return {
    ...plain,
    ...(scheduler !== '' && { scheduler }),
    ...(seed !== undefined && { seed }),
    ...(image !== undefined && { image, strength }),
    ...(mask !== undefined && { mask }),
  };
}

/** Draws one picture, with a preview of each step. Rejects as `generate` does. */
export async function drawPicture(
  sd: WorkerPipeline,
  settings: Settings,
  start: Start,
  { signal, onStep }: Watcher,
): Promise<GenerateResult> {
  return sd.generate({
    ...optionsOf(settings, start),
    signal,
    onStep: async (step) => onStep(step, await step.preview()),
  });
}
