import {
  row,
  type Scheduler,
  sizeOf,
  type Tensor,
  type TextEmbedding,
  type TextEncoder,
  type Tokenizer,
  tensor,
  throwIfAborted,
  type Unet,
  type Vae,
} from '@sd/core';
import { createDenoiser, type WeightedText } from '@sd/unet';
import type { RunAdapters } from './attach/run-adapters.js';
import type { GenerateResult, ImageEvent, PipelineEvent, StepEvent, Warning } from './events.js';
import { createImage, type ImageParameters } from './image/index.js';
import type { Request } from './options.js';
import { promptText } from './prompts.js';
import { blendTexts } from './start/blend.js';
import { encodePictures } from './start/encode-pictures.js';
import { firstPass, type Pass, secondPass, stepsOf } from './start/passes.js';

/** The objects that a pipeline is made of. Any that meet the interfaces will do. */
export interface Stages {
  readonly tokenizer: Tokenizer;
  readonly textEncoder: TextEncoder;
  /** The second of SDXL's two text encoders, and its tokenizer. */
  readonly tokenizer2?: Tokenizer;
  readonly textEncoder2?: TextEncoder;
  readonly unet: Unet;
  readonly vae: Vae;
  readonly scheduler: Scheduler;
}

export interface RunSettings {
  /** What is attached. */
  readonly adapters: RunAdapters;
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
      await Promise.all([stages.textEncoder, stages.unet, stages.vae].map((stage) => stage.release?.()));
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
  const warnings: Warning[] = [];
  const spent = { encode: 0, denoise: 0, decode: 0 };
  const start = performance.now();

  const texts = await encodePrompts(stages, request, settings.adapters, warnings);
  throwIfAborted(signal);
  if (settings.releaseStages) await stages.textEncoder.release?.();
  const { pictures, strength, upscale, variation } = request.start;
  const beside = unet.inChannels !== vae.latentChannels;
  const encoded = pictures && (await encodePictures(vae, pictures, { beside, strength, signal }));
  throwIfAborted(signal);
  if (settings.releaseStages && encoded !== undefined) await vae.release?.();
  spent.encode = performance.now() - start;
  yield { type: 'encode', milliseconds: spent.encode };

  const events: ImageEvent[] = [];
  const finish = async function* (image: number, latents: Tensor<'float32'>) {
    const event = await decode(vae, image, latents, parametersOf(request, image), signal);
    spent.decode += event.milliseconds;
    events.push(event);
    yield event;
  };

  const spend = (milliseconds: number) => {
    spent.denoise += milliseconds;
  };
  const sideOf = (pixels: number) => pixels / vae.scaleFactor;
  const waiting: Tensor<'float32'>[] = [];
  for (let image = 0; image < seeds.length; image++) {
    const shape = [vae.latentChannels, sideOf(request.height), sideOf(request.width)] as const;
    const pass = firstPass(request, image, shape, encoded);
    let latents = yield* denoise(stages, request, texts, image, pass, settings.adapters, spend);
    if (upscale !== undefined) {
      const size = [sideOf(upscale.height), sideOf(upscale.width)] as const;
      const larger = secondPass(pass, latents, upscale, size, request.random[image]!);
      latents = yield* denoise(stages, request, texts, image, larger, settings.adapters, spend);
    }
    if (settings.releaseStages) waiting.push(latents);
    else yield* finish(image, latents);
  }
  if (settings.releaseStages) {
    await unet.release?.();
    for (const [image, latents] of waiting.entries()) yield* finish(image, latents);
  }
  return {
    images: events.map(({ picture }) => picture),
    seeds,
    ...(variation !== undefined && { variationSeeds: variation.seeds }),
    timings: { ...spent, total: performance.now() - start },
    warnings,
  };
}

interface Texts {
  readonly positive: readonly WeightedText[];
  readonly negative: TextEmbedding;
}

async function encodePrompts(
  { tokenizer, textEncoder }: Stages,
  request: Request,
  adapters: RunAdapters,
  warnings: Warning[],
): Promise<Texts> {
  const { signal, clipSkip, prompts } = request;
  const encode = (option: string, text: string) => {
    const result = tokenizer.encode(text);
    if (result.truncated !== '') {
      warnings.push({
        code: 'prompt-truncated',
        message: `${option} is longer than the model's ${tokenizer.maxLength} tokens. Left out: ${JSON.stringify(result.truncated)}.`,
      });
    }
    return result;
  };
  const tokens = prompts.map(({ text }, i) => encode(prompts.length === 1 ? 'prompt' : `prompt[${i}]`, text));
  if (request.usesNegative) tokens.push(encode('negativePrompt', request.negativePrompt));
  const count = tokens.length;
  const { blend } = request.start;
  if (blend !== undefined) {
    tokens.push(encode('blend.prompt', blend.prompt ?? prompts[0]!.text));
    if (request.usesNegative)
      tokens.push(encode('blend.negativePrompt', blend.negativePrompt ?? request.negativePrompt));
  }
  const encoded = await textEncoder.encode(tokens, { clipSkip, conditions: adapters.text('textEncoder'), signal });
  const embeddings = encoded.slice(0, count).map((embedding, i) => {
    return blend === undefined ? embedding : blendTexts(embedding, encoded[count + i]!, blend.amount);
  });
  const positive = prompts.map(({ weight }, i) => ({ embedding: embeddings[i]!, weight }));
  // Conditions tell the negative prompt by its object, so that it must be another than the prompt's.
  return { positive, negative: { ...embeddings.at(-1)! } };
}

/** One pass: from where it starts to the latents of a picture. */
async function* denoise(
  { unet, vae }: Stages,
  request: Request,
  texts: Texts,
  image: number,
  { plan, shape, start, firstStep }: Pass,
  adapters: RunAdapters,
  spend: (milliseconds: number) => void,
): AsyncGenerator<StepEvent, Tensor<'float32'>, void> {
  const { signal, scheduler, guidance } = request;
  const { keeper, beside } = start;
  const size = sizeOf(shape);
  const random = request.random[image]!;
  let step = 0;
  const conditions = await adapters.unet({
    width: shape[2] * vae.scaleFactor,
    height: shape[1] * vae.scaleFactor,
    clock: () => ({ step, steps: plan.stepCount }),
    signal,
  });
  const model = createDenoiser({
    unet,
    prediction: scheduler.prediction,
    guidance,
    ...texts,
    shape,
    conditions,
    ...(beside && { beside }),
    signal,
  });
  const denoiser = keeper?.denoiser(model) ?? model;
  const noise = () => random.randn(size);
  let latents = tensor('float32', [1, ...shape], start.x);
  let before = performance.now();
  for await (const taken of plan.sampler(denoiser, start.x, plan.levels, { noise, signal })) {
    const last = step >= plan.stepCount - 1;
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
      latents,
      denoised,
      preview: () => preview(vae, denoised, signal),
      milliseconds,
    };
    throwIfAborted(signal);
    step += 1;
    before = performance.now();
  }
  return latents;
}

async function preview(vae: Vae, latents: Tensor<'float32'>, signal: AbortSignal | undefined) {
  const picture = await (vae.preview ?? vae.decode).call(vae, latents, { signal });
  return createImage(row(picture, 0));
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
  const { prompts, negativePrompt, steps, scheduler, guidance, clipSkip, width, height } = request;
  const { pictures, strength, variation, upscale } = request.start;
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
      'Denoising strength': upscale?.strength ?? (pictures && strength),
      'Variation seed': variation?.seeds[image],
      'Variation seed strength': variation?.strength,
      'Hires resize': upscale && `${upscale.width}x${upscale.height}`,
      'Hires steps': upscale?.steps,
      'Hires upscaler': upscale && 'Latent',
    },
  };
}
