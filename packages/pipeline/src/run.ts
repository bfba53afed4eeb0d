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
import type { GenerateResult, ImageEvent, PipelineEvent, StepEvent, Warning } from './events.js';
import { createImage, type ImageParameters } from './image/index.js';
import type { Request } from './options.js';
import { promptText } from './prompts.js';

/** The objects that a pipeline is made of. Any that meet the interfaces will do. */
export interface Stages {
  readonly tokenizer: Tokenizer;
  readonly textEncoder: TextEncoder;
  readonly unet: Unet;
  readonly vae: Vae;
  readonly scheduler: Scheduler;
}

export interface RunSettings {
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

  const texts = await encodePrompts(stages, request, warnings);
  throwIfAborted(signal);
  if (settings.releaseStages) await stages.textEncoder.release?.();
  spent.encode = performance.now() - start;
  yield { type: 'encode', milliseconds: spent.encode };

  const events: ImageEvent[] = [];
  const finish = async function* (image: number, latents: Tensor<'float32'>) {
    const event = await decode(vae, image, latents, parametersOf(request, image), signal);
    spent.decode += event.milliseconds;
    events.push(event);
    yield event;
  };

  const waiting: Tensor<'float32'>[] = [];
  for (let image = 0; image < seeds.length; image++) {
    const latents = yield* denoise(stages, request, texts, image, (milliseconds) => {
      spent.denoise += milliseconds;
    });
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
  const embeddings = await textEncoder.encode(tokens, { clipSkip, signal });
  const positive = prompts.map(({ weight }, i) => ({ embedding: embeddings[i]!, weight }));
  return { positive, negative: embeddings.at(-1)! };
}

/** From noise to the latents of a picture. */
async function* denoise(
  { unet, vae }: Stages,
  request: Request,
  texts: Texts,
  image: number,
  spend: (milliseconds: number) => void,
): AsyncGenerator<StepEvent, Tensor<'float32'>, void> {
  const { signal, scheduler, plan, guidance } = request;
  const shape = [vae.latentChannels, request.height / vae.scaleFactor, request.width / vae.scaleFactor] as const;
  const size = sizeOf(shape);
  const random = request.random[image];
  const denoiser = createDenoiser({
    unet,
    prediction: scheduler.prediction,
    guidance,
    ...texts,
    shape,
    signal,
  });
  const noise = startingNoise(request, image) ?? random.randn(size);
  let x: Float32Array = noise.map((value) => value * plan.initialSigma);
  let step = 0;
  let before = performance.now();
  for await (const taken of plan.sampler(denoiser, x, plan.levels, { noise: () => random.randn(size), signal })) {
    x = taken.x;
    const denoised = tensor('float32', [1, ...shape], taken.denoised);
    const milliseconds = performance.now() - before;
    spend(milliseconds);
    yield {
      type: 'step',
      image,
      step,
      steps: plan.stepCount,
      timestep: taken.level.timestep,
      latents: tensor('float32', [1, ...shape], x),
      denoised,
      preview: () => preview(vae, denoised, signal),
      milliseconds,
    };
    throwIfAborted(signal);
    step += 1;
    before = performance.now();
  }
  return tensor('float32', [1, ...shape], x);
}

function startingNoise({ latents }: Request, image: number): Float32Array | undefined {
  return latents && row(latents, latents.dims[0] === 1 ? 0 : image).data;
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
    },
  };
}
