import { type NoiseSource, sizeOf, type Tensor, tensor, throwIfAborted } from '@sd/core';
import { createDenoiser } from '@sd/guidance';
import type { WatchedImage } from './attention/watch-words.js';
import { passConditions } from './conditions.js';
import { countCalls, type PassDenoiser } from './count-calls.js';
import type { StepEvent } from './events.js';
import { previewedFrame } from './frames.js';
import { type Pass, totalSteps } from './initial/passes.js';
import { previewOf } from './preview.js';
import type { Texts } from './prompts/index.js';
import type { Request } from './request.js';
import type { Run } from './run-context.js';

/** Denoises one image or clip in one pass. Yields every step; returns the finished latents. */
export async function* denoise(
  run: Run,
  texts: Texts,
  imageIndex: number,
  pass: Pass,
  watched: WatchedImage | undefined,
): AsyncGenerator<StepEvent, Tensor<'float32'>, void> {
  const { request, adapters, timings } = run;
  const { plan, shape, initial, firstStep } = pass;
  const { signal } = request;
  const model = await passDenoiser(run, texts, pass, watched);
  const counted = countCalls(initial.known?.denoiser(model) ?? model, plan);
  const noise = noiseOf(request, imageIndex, pass);
  let latents = tensor('float32', [1, ...shape], initial.x);
  let start = performance.now();
  for await (const samplerStep of plan.sampler(counted.denoiser, initial.x, plan.levels, { noise, signal })) {
    const isLast = counted.step >= plan.stepCount - 1;
    const x = initial.known?.sample(samplerStep.x, isLast ? 'clean' : samplerStep.level) ?? samplerStep.x;
    latents = tensor('float32', [1, ...shape], x);
    const denoised = tensor('float32', [1, ...shape], samplerStep.denoised);
    const { frames = 1 } = adapters;
    const milliseconds = performance.now() - start;
    timings.denoise += milliseconds;
    yield {
      type: 'step',
      index: imageIndex,
      step: firstStep + counted.step,
      steps: totalSteps(request),
      timestep: samplerStep.level.timestep,
      frames,
      latents,
      denoised,
      preview: async (frame) => previewOf(run.stages, previewedFrame(denoised, frames, frame), signal),
      milliseconds,
    };
    throwIfAborted(signal);
    counted.finishStep();
    start = performance.now();
  }
  return latents;
}

/** The sampler's noise: the plan's, or the next of the image's generator. */
function noiseOf({ seeds, random, rng }: Request, imageIndex: number, { plan, shape }: Pass): NoiseSource {
  const source = random(imageIndex);
  const size = sizeOf(shape);
  const planned = plan.noise?.({ seed: seeds[imageIndex], size, random: rng, levels: plan.levels });
  return planned ?? (() => source.randn(size));
}

/** The noise predictor as a denoiser for one pass, with its prompts, conditions and guidance. */
async function passDenoiser(
  run: Run,
  texts: Texts,
  { index, shape, initial, firstStep }: Pass,
  watched: WatchedImage | undefined,
): Promise<PassDenoiser> {
  const { stages, request, adapters } = run;
  const { scaleFactor } = stages.vae;
  const { frames = 1 } = adapters;
  const size = { width: shape[2] * scaleFactor, height: (shape[1] / frames) * scaleFactor };
  const conditions = await passConditions(run, size);
  return createDenoiser({
    noisePredictor: adapters.noisePredictor(watched?.noisePredictor ?? stages.noisePredictor),
    prediction: request.scheduler.prediction,
    preconditioning: request.scheduler.preconditioning,
    guidance: request.guidance,
    positive: ({ step }) => texts.positive(index, step),
    negative: ({ step }) => texts.negative(index, step),
    shape,
    conditions: watched === undefined ? conditions : [...conditions, watched.condition(firstStep)],
    extraChannels: initial.extraChannels,
    signal: request.signal,
  });
}
