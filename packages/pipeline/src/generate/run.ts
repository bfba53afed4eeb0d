import { row, settleAll, stack, type Tensor, throwIfAborted, type Warning } from '@sd/core';
import { heldStages, releaseTextEncoders } from '../stages.js';
import type { AttentionMap } from './attention/attention-map.js';
import { type WatchedImage, watchWords } from './attention/watch-words.js';
import { decode } from './decode.js';
import { denoise } from './denoise.js';
import type { GenerateResult, ImageEvent, PipelineEvent } from './events.js';
import { framesOf } from './frames.js';
import { type EncodedImages, encodeImages } from './initial/encode-images.js';
import { firstPass, secondPass } from './initial/passes.js';
import { encodePrompts, type Texts } from './prompts/index.js';
import type { Run } from './run-context.js';
import { textStack } from './text-stack.js';

/** Runs a request: encodes prompts and initial images, denoises latents, and decodes them. Returns the whole result. */
export async function* draw(run: Run): AsyncGenerator<PipelineEvent, GenerateResult, void> {
  try {
    return yield* drawAll(run);
  } finally {
    if (run.releaseStages) {
      await settleAll([run.adapters, ...heldStages(run.stages)].map((stage) => () => stage.release?.()));
    }
  }
}

async function* drawAll(run: Run): AsyncGenerator<PipelineEvent, GenerateResult, void> {
  const { request, adapters, timings } = run;
  const start = performance.now();
  const warnings: Warning[] = [...adapters.warnings];
  const texts = await encodeTexts(run, warnings);
  const images = await encodeInitialImages(run);
  timings.encode = performance.now() - start;
  yield { type: 'encode', milliseconds: timings.encode };

  const watchImage = await watchWords(run, texts);
  const attentionMaps: AttentionMap[][] = [];
  const latents: Tensor<'float32'>[] = [];
  const events: ImageEvent[] = [];
  for (const batch of batchesOf(run)) {
    const finished: Tensor<'float32'>[] = [];
    for (const imageIndex of batch) {
      const watched = watchImage?.();
      const drawn = yield* denoiseImage(run, texts, imageIndex, images, watched);
      finished.push(drawn);
      if (watched !== undefined) attentionMaps.push(watched.maps(drawn.dims[2], drawn.dims[3]));
    }
    await releaseDenoiser(run);
    for (const [i, imageIndex] of batch.entries()) {
      if (request.output === 'latents') latents.push(finished[i]);
      else events.push(...(yield* decode(run, imageIndex, finished[i], attentionMaps[imageIndex])));
    }
  }
  const done = {
    latents: latents.length > 0 ? stackFrames(latents, adapters.frames) : undefined,
    seeds: request.seeds,
    variationSeeds: request.variation?.seeds,
    attentionMaps: watchImage && attentionMaps,
    timings: { ...timings, total: performance.now() - start },
    warnings,
  };
  yield { type: 'done', ...done };
  return { images: events.map(({ image }) => image), ...done };
}

async function encodeTexts(run: Run, warnings: Warning[]): Promise<Texts> {
  const { stages, request, releaseStages } = run;
  const texts = await encodePrompts(run.prompts, textStack(run), warnings);
  throwIfAborted(request.signal);
  if (releaseStages) await releaseTextEncoders(stages);
  return texts;
}

async function encodeInitialImages({
  stages,
  request,
  traits,
  releaseStages,
}: Run): Promise<EncodedImages | undefined> {
  const { signal } = request;
  const encoded = await encodeImages(stages.vae, request.initial, { imageInput: traits.imageInput, signal });
  throwIfAborted(signal);
  if (releaseStages && encoded !== undefined) await stages.vae.release?.();
  return encoded;
}

/**
 * The indices of images to denoise before they are decoded: one at a time, so that each is finished early, or all of them if
 * the noise predictor has to be freed before the VAE is loaded.
 */
function batchesOf({ request, releaseStages }: Run): number[][] {
  const indices = [...request.seeds.keys()];
  return releaseStages ? [indices] : indices.map((index) => [index]);
}

/** Denoises one image or clip in all of its passes. */
async function* denoiseImage(
  run: Run,
  texts: Texts,
  imageIndex: number,
  images: EncodedImages | undefined,
  watched: WatchedImage | undefined,
): AsyncGenerator<PipelineEvent, Tensor<'float32'>, void> {
  const { stages, request, adapters } = run;
  const { frames = 1 } = adapters;
  const { latentChannels, scaleFactor } = stages.vae;
  const shape = [latentChannels, (frames * request.height) / scaleFactor, request.width / scaleFactor] as const;
  const first = firstPass(request, imageIndex, shape, images);
  const latents = yield* denoise(run, texts, imageIndex, first, watched);
  const { upscale } = request;
  if (upscale === undefined) return latents;
  const size = [upscale.height / scaleFactor, upscale.width / scaleFactor] as const;
  const second = secondPass(first, latents, upscale, size, request.random(imageIndex));
  return yield* denoise(run, texts, imageIndex, second, watched);
}

async function releaseDenoiser({ stages, adapters, releaseStages }: Run): Promise<void> {
  if (releaseStages) await settleAll([() => stages.noisePredictor.release?.(), adapters.release]);
}

/** Stacks the latents of images or clips to [images or frames, channels, h, w]. */
function stackFrames(latents: readonly Tensor<'float32'>[], frames = 1): Tensor<'float32'> {
  return stack(latents.flatMap((clip) => framesOf(clip, frames).map((frame) => row(frame, 0))));
}
