import type { GenerateOptions, GenerateResult, StepEvent } from '@sd/pipeline';
import type { WorkerPipeline } from '@sd/pipeline/worker';
import type { Pixels } from './pixels.js';
import type { Settings } from './settings.js';

/** The initial image and the mask, if any. */
export interface Start {
  readonly image: Pixels | undefined;
  readonly mask: Pixels | undefined;
  readonly strength: number;
}

export interface Watcher {
  readonly signal: AbortSignal;
  onStep(step: StepEvent, preview: Pixels): void;
}

/** The pipeline's options for the user's settings. */
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

/** Generates one image, with a preview of each step. Rejects as `generate` does. */
export async function generateImage(
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
