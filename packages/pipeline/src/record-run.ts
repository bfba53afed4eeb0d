import type { SdImage } from '@sd/image';
import type { GenerateResult, PipelineEvent } from './generate/events.js';

/** A run's result and the previews of its steps. */
export interface RecordedRun {
  readonly result: GenerateResult;
  /** For each image, the preview of each of its steps, one pixel per latent. */
  readonly previews: readonly (readonly SdImage[])[];
}

/**
 * Runs to the end, and collects a preview of every step: `recordRun(sd.stream({ prompt }))`. Rejects as the run does; if a
 * preview fails, ends the run first.
 */
export async function recordRun(stream: AsyncGenerator<PipelineEvent, GenerateResult, void>): Promise<RecordedRun> {
  const previews: SdImage[][] = [];
  try {
    for (;;) {
      const { done, value } = await stream.next();
      if (done) return { result: value, previews };
      if (value.type !== 'step') continue;
      previews[value.index] ??= [];
      previews[value.index].push(await value.preview());
    }
  } finally {
    await stream.return(undefined as never);
  }
}
