import type { SdImage } from '@sd/image';
import type { GenerateResult, PipelineEvent } from './generate/events.js';

/** A run, and the previews of its steps. */
export interface RecordedRun {
  readonly result: GenerateResult;
  /** For each image, the preview of each of its steps: one pixel a latent. */
  readonly previews: readonly (readonly SdImage[])[];
}

/**
 * Takes a run to its end, with a preview of every step: `recordRun(sd.stream({ prompt }))`. Rejects with what the run
 * rejects with; if a preview fails, the run is ended first.
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
