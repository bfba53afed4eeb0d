import { fitImage, formatParameters } from '@sd/image';
import type { GenerateOptions, GenerateResult, ImageEvent, Pipeline, StepEvent } from '@sd/pipeline';
import type { EncodedImage, EngineEvent, GenerateRequest, Job, OutputFormat } from '../engine.js';
import { encodeImage, imageOf } from './encode.js';

/** Draws a job with a pipeline, and turns the events of the run into an engine's. Rejects as `Pipeline.stream` does. */
export async function* drawJob(
  pipeline: Pipeline,
  { request, previews = 0, output }: Job,
  signal: AbortSignal,
): AsyncGenerator<EngineEvent, void, void> {
  const seed = request.seed ?? Math.floor(Math.random() * 2 ** 32);
  const run = pipeline.stream({ ...generateOptions(request), seed, signal });
  try {
    for (;;) {
      const { done, value } = await run.next();
      if (done) return yield doneEvent(value);
      if (value.type === 'step') yield* stepEvents(value, pipeline, previews, output);
      if (value.type === 'image') yield await imageEvent(value, { ...request, seed }, output);
    }
  } finally {
    await run.return(undefined as never);
  }
}

function generateOptions({ loras, ...request }: GenerateRequest): GenerateOptions {
  return loras === undefined ? request : { ...request, adapters: loras };
}

function doneEvent({ warnings, timings }: GenerateResult): EngineEvent {
  return { type: 'done', warnings, timings };
}

async function* stepEvents(
  event: StepEvent,
  pipeline: Pipeline,
  previews: number,
  output: OutputFormat | undefined,
): AsyncGenerator<EngineEvent, void, void> {
  const { index, step, steps } = event;
  yield { type: 'step', index, step, steps };
  if (!hasPreview(step, steps, previews)) return;
  yield { type: 'preview', index, step, steps, image: await previewOf(event, pipeline, output) };
}

/** Spreads previews evenly over the steps, without the last, after which the image itself follows. */
function hasPreview(step: number, steps: number, previews: number): boolean {
  const before = (count: number) => Math.floor((count * (previews + 1)) / steps);
  return previews > 0 && step + 1 < steps && before(step + 1) > before(step);
}

/** A preview at the size of the image. */
async function previewOf(event: StepEvent, pipeline: Pipeline, output?: OutputFormat): Promise<EncodedImage> {
  const [, , rows, columns] = event.denoised.dims;
  const { scaleFactor } = pipeline.stages.vae;
  const preview = await event.preview();
  const size = { width: columns * scaleFactor, height: (rows / event.frames) * scaleFactor };
  return encodeImage(imageOf(fitImage(preview, { ...size, fit: 'stretch' })), output);
}

async function imageEvent({ index, image }: ImageEvent, request: GenerateRequest, output: OutputFormat | undefined) {
  const { seed = 0, variationStrength } = request;
  return {
    type: 'image',
    index,
    // Variations share a seed.
    seed: variationStrength === undefined ? plus(seed, index) : seed,
    image: await encodeImage(image, output),
    parameters: image.parameters === undefined ? '' : formatParameters(image.parameters),
  } as const;
}

function plus(seed: number | bigint, index: number): number | bigint {
  return typeof seed === 'bigint' ? seed + BigInt(index) : seed + index;
}
