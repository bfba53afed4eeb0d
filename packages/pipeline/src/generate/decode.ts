import { row, type Tensor, throwIfAborted } from '@sd/core';
import { createImage } from '@sd/image';
import type { AttentionMap } from './attention/attention-map.js';
import type { ImageEvent } from './events.js';
import { framesOf } from './frames.js';
import { parametersOf } from './parameters.js';
import type { Run } from './run-context.js';

/** Decodes the latents of one image or clip, frame by frame. */
export async function* decode(
  { stages, request, adapters, timings }: Run,
  imageIndex: number,
  latents: Tensor<'float32'>,
  attentionMaps: readonly AttentionMap[] | undefined,
): AsyncGenerator<ImageEvent, ImageEvent[], void> {
  const { vae } = stages;
  const { signal } = request;
  const { frames = 1 } = adapters;
  const events: ImageEvent[] = [];
  for (const [frame, frameLatents] of framesOf(latents, frames).entries()) {
    const start = performance.now();
    const decoded = await vae.decode(frameLatents, { signal });
    throwIfAborted(signal);
    const image = createImage(row(decoded, 0), parametersOf(request, imageIndex));
    const milliseconds = performance.now() - start;
    timings.decode += milliseconds;
    const index = imageIndex * frames + frame;
    const seed = request.seeds[imageIndex];
    const event: ImageEvent = { type: 'image', index, image, seed, attentionMaps, milliseconds };
    events.push(event);
    yield event;
  }
  return events;
}
