import {
  type NoiseLevel,
  row,
  sizeOf,
  stack,
  type Tensor,
  type TextEmbedding,
  tensor,
  throwIfAborted,
  type Vae,
} from '@sd/core';
import { type Condition, createDenoiser, type WeightedText } from '@sd/guidance';
import { createImage, type ImageParameters } from '@sd/image';
import type { RunAdapters } from './attach/run-adapters.js';
import { encodePrompts, type Texts } from './encode-prompts.js';
import type { GenerateResult, ImageEvent, PipelineEvent, StepEvent, Warning } from './events.js';
import type { Size } from './families/sdxl/time-ids.js';
import { framesOf, previewedFrame } from './frames.js';
import type { Request } from './options.js';
import { previewOf } from './preview.js';
import { promptText } from './prompts.js';
import type { StageFacts } from './stage-facts.js';
import { heldStages, releaseTextEncoders, type Stages } from './stages.js';
import { encodePictures } from './start/encode-pictures.js';
import { firstPass, type Pass, secondPass, stepsOf } from './start/passes.js';

export interface RunSettings {
  /** What is known already that the caller should know. */
  readonly warnings: readonly Warning[];
  /** What is attached. */
  readonly adapters: RunAdapters;
  readonly facts: StageFacts;
  /** Frees each stage after its use. */
  readonly releaseStages: boolean;
}

/** One request, from prompt to pictures. Yields what happens; returns the whole. */
export async function* run(
  stages: Stages,
  request: Request,
  settings: RunSettings,
): AsyncGenerator<PipelineEvent, GenerateResult, void> {
  try {
    return yield* runStages(stages, request, settings);
  } finally {
    if (settings.releaseStages) {
      await Promise.all([settings.adapters, ...heldStages(stages)].map((stage) => stage.release?.()));
    }
  }
}

async function* runStages(
  stages: Stages,
  request: Request,
  settings: RunSettings,
): AsyncGenerator<PipelineEvent, GenerateResult, void> {
  const { unet, vae } = stages;
  const { signal, seeds } = request;
  const warnings = [...settings.warnings, ...settings.adapters.warnings];
  const spent = { encode: 0, denoise: 0, decode: 0 };
  const start = performance.now();

  const texts = await encodePrompts(stages, request, settings.facts, settings.adapters, warnings);
  throwIfAborted(signal);
  if (settings.releaseStages) await releaseTextEncoders(stages);
  const { upscale, variation } = request.start;
  const encoded = await encodePictures(vae, request.start, { shown: settings.facts.shown, signal });
  throwIfAborted(signal);
  if (settings.releaseStages && encoded !== undefined) await vae.release?.();
  spent.encode = performance.now() - start;
  yield { type: 'encode', milliseconds: spent.encode };

  const events: ImageEvent[] = [];
  const { frames = 1 } = settings.adapters;
  const finish = async function* (image: number, latents: Tensor<'float32'>) {
    for (const [i, frame] of framesOf(latents, frames).entries()) {
      const event = await decode(vae, image * frames + i, frame, parametersOf(request, image), signal);
      spent.decode += event.milliseconds;
      events.push(event);
      yield event;
    }
  };

  const spend = (milliseconds: number) => {
    spent.denoise += milliseconds;
  };
  const sideOf = (pixels: number) => pixels / vae.scaleFactor;
  const waiting: Tensor<'float32'>[] = [];
  const given: Tensor<'float32'>[] = [];
  for (let image = 0; image < seeds.length; image++) {
    const shape = [vae.latentChannels, frames * sideOf(request.height), sideOf(request.width)] as const;
    const pass = firstPass(request, image, shape, encoded);
    let latents = yield* denoise(stages, request, textsIn(texts, 0), image, pass, settings, spend);
    if (upscale !== undefined) {
      const size = [sideOf(upscale.height), sideOf(upscale.width)] as const;
      const larger = secondPass(pass, latents, upscale, size, request.random[image]!);
      latents = yield* denoise(stages, request, textsIn(texts, 1), image, larger, settings, spend);
    }
    if (request.output === 'latents') given.push(...framesOf(latents, frames).map((frame) => row(frame, 0)));
    else if (settings.releaseStages) waiting.push(latents);
    else yield* finish(image, latents);
  }
  if (settings.releaseStages) {
    await Promise.all([unet.release?.(), settings.adapters.release()]);
    for (const [image, latents] of waiting.entries()) yield* finish(image, latents);
  }
  return {
    images: events.map(({ picture }) => picture),
    ...(given.length > 0 && { latents: stack(given) }),
    seeds,
    ...(variation !== undefined && { variationSeeds: variation.seeds }),
    timings: { ...spent, total: performance.now() - start },
    warnings,
  };
}

/** The prompts in one pass, at a step of it. */
interface PassTexts {
  positive(step: number): readonly WeightedText[];
  negative(step: number): TextEmbedding;
}

function textsIn(texts: Texts, pass: number): PassTexts {
  return { positive: (step) => texts.positive(pass, step), negative: (step) => texts.negative(pass, step) };
}

/** One pass: from where it starts to the latents of a picture. */
async function* denoise(
  { unet: plain, vae, previewVae }: Stages,
  request: Request,
  texts: PassTexts,
  image: number,
  { plan, shape, start, firstStep }: Pass,
  { adapters, facts }: RunSettings,
  spend: (milliseconds: number) => void,
): AsyncGenerator<StepEvent, Tensor<'float32'>, void> {
  const { signal, scheduler, guidance } = request;
  const { keeper, extraChannels } = start;
  const size = sizeOf(shape);
  const random = request.random[image]!;
  let step = 0;
  let call = -1;
  const { stepCount: steps, callCount: calls = steps } = plan;
  const { frames = 1 } = adapters;
  const unet = await adapters.clips(plain);
  const picture = { width: shape[2] * vae.scaleFactor, height: (shape[1] / frames) * vae.scaleFactor };
  const { told, conditions: own } = await ownConditions(request, facts, picture);
  const conditions: Condition[] = [
    ...own,
    ...(await adapters.unet({ ...picture, clock: () => ({ step, steps, call, calls }), told, signal })),
  ];
  const estimate = createDenoiser({
    unet,
    prediction: scheduler.prediction,
    guidance,
    positive: () => texts.positive(step),
    negative: () => texts.negative(step),
    shape,
    conditions,
    ...(extraChannels && { extraChannels }),
    signal,
  });
  const model = Object.assign(
    (x: Float32Array, level: NoiseLevel) => {
      call += 1;
      return estimate(x, level);
    },
    { unconditional: estimate.unconditional },
  );
  const denoiser = keeper?.denoiser(model) ?? model;
  const noise = () => random.randn(size);
  let latents = tensor('float32', [1, ...shape], start.x);
  let before = performance.now();
  for await (const taken of plan.sampler(denoiser, start.x, plan.levels, { noise, signal })) {
    const last = step >= steps - 1;
    const x = keeper?.sample(taken.x, last ? 'clean' : taken.level) ?? taken.x;
    latents = tensor('float32', [1, ...shape], x);
    const denoised = tensor('float32', [1, ...shape], taken.denoised);
    const milliseconds = performance.now() - before;
    spend(milliseconds);
    yield {
      type: 'step',
      image,
      step: firstStep + step,
      steps: stepsOf(request),
      timestep: taken.level.timestep,
      frames,
      latents,
      denoised,
      preview: async (frame) => previewOf({ vae, previewVae }, previewedFrame(denoised, frames, frame), signal),
      milliseconds,
    };
    throwIfAborted(signal);
    step += 1;
    before = performance.now();
  }
  return latents;
}

/** What the U-Net hears beside text by itself; `told` is what is said of the picture, for ControlNets to hear too. */
async function ownConditions(
  { micro, guidanceScale: scale }: Request,
  { told: kind, guidanceWidth: width }: StageFacts,
  picture: Size,
): Promise<{ readonly told?: Condition; readonly conditions: readonly Condition[] }> {
  if (kind === 'nothing' && width === undefined) return { conditions: [] };
  const { guidanceEmbedding, toldCondition } = await import('./conditions.js');
  const guided = width === undefined ? [] : [guidanceEmbedding({ scale, width })];
  if (kind === 'nothing') return { conditions: guided };
  const told = toldCondition(micro, kind, picture);
  return { told, conditions: [told, ...guided] };
}

async function decode(
  vae: Vae,
  image: number,
  latents: Tensor<'float32'>,
  parameters: ImageParameters,
  signal: AbortSignal | undefined,
): Promise<ImageEvent> {
  const before = performance.now();
  const decoded = await vae.decode(latents, { signal });
  throwIfAborted(signal);
  const picture = createImage(row(decoded, 0), parameters);
  return { type: 'image', image, picture, milliseconds: performance.now() - before };
}

/** The settings under A1111's names. */
function parametersOf(request: Request, image: number): ImageParameters {
  const { prompts, negativePrompt = '', steps, scheduler, guidance, clipSkip, width, height } = request;
  const { part, variation, upscale } = request.start;
  return {
    prompt: promptText(prompts),
    negativePrompt,
    settings: {
      Steps: steps,
      Sampler: scheduler.name,
      ...guidance.settings,
      Seed: request.seeds[image],
      Size: `${width}x${height}`,
      'Clip skip': clipSkip === 0 ? undefined : clipSkip + 1,
      'Denoising strength': upscale?.strength ?? part.strength,
      'Variation seed': variation?.seeds[image],
      'Variation seed strength': variation?.strength,
      'Hires resize': upscale && `${upscale.width}x${upscale.height}`,
      'Hires steps': upscale?.steps,
      'Hires upscaler': upscale && 'Latent',
    },
  };
}
