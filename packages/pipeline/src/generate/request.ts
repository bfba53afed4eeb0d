import {
  expectFinite,
  InvalidOptionError,
  type RandomSource,
  type RandomSourceFactory,
  type SamplingPlan,
  type Scheduler,
  show,
  sizeOf,
  type Tensor,
  TensorError,
} from '@sd/core';
import { checkOptional, checkSide } from '@sd/core/options';
import type { Guidance } from '@sd/guidance';
import type { Size } from '../families/family.js';
import type { DecodedImages, InitialImages } from './initial/images.js';
import { runSize } from './initial/run-size.js';
import { lastSteps, planSteps, type StepRange } from './initial/step-range.js';
import type { MemoryRequest } from './memory.js';
import type { ModelTraits } from './model-traits.js';
import { readGuidance } from './options/guidance.js';
import type { GenerateOptions } from './options/index.js';
import { checkInitialImage, type GivenImages, keptSteps, readStepRange } from './options/initial.js';
import { type PromptSettings, readPrompts } from './options/prompts.js';
import { readSeeds, type Variation } from './options/sampling.js';
import type { PassSteps } from './prompts/index.js';

/** The second, larger pass. */
export interface Upscale {
  readonly width: number;
  readonly height: number;
  readonly strength: number;
  readonly steps: number;
  /** Limited to the steps that `strength` keeps. */
  readonly plan: SamplingPlan;
}

/** What a run starts from, other than noise. */
export interface InitialState {
  readonly images: InitialImages | undefined;
  /** Latents that were passed in place of an image. */
  readonly latents: Tensor<'float32'> | undefined;
  readonly range: StepRange;
}

/** The options of a run, checked and with defaults filled in. */
export interface Request {
  readonly options: GenerateOptions;
  readonly promptSettings: PromptSettings;
  /** Whether the guidance may use the negative prompt. */
  readonly usesNegative: boolean;
  /** The steps of each pass, for prompts that change over the steps. */
  readonly passes: readonly PassSteps[];
  readonly width: number;
  readonly height: number;
  readonly steps: number;
  readonly scheduler: Scheduler;
  /** Limited to the range of steps that the run takes. */
  readonly plan: SamplingPlan;
  readonly guidance: Guidance;
  readonly guidanceScale: number;
  readonly seeds: readonly (number | bigint)[];
  /** The generator of an image, made when its turn comes. */
  readonly random: (imageIndex: number) => RandomSource;
  readonly rng: RandomSourceFactory;
  readonly variation: Variation | undefined;
  readonly initial: InitialState;
  readonly upscale: Upscale | undefined;
  /** The initial noise, if it was given; otherwise the generator draws it. */
  readonly noise: Tensor<'float32'> | undefined;
  readonly output: 'images' | 'latents';
  readonly signal: AbortSignal | undefined;
  /** The quantities that its memory depends on, as far as the options give them. */
  readonly memory: MemoryRequest;
}

export interface RequestContext {
  readonly traits: ModelTraits;
  readonly decoded: DecodedImages;
  /** Resolves the option `scheduler`. */
  schedulerOf(choice: Scheduler | string | undefined): Scheduler;
  /** Throws a MemoryLimitError for a run that would take too much. */
  checkMemory(request: MemoryRequest): void;
}

/**
 * Fills in the defaults of options that passed their tables' checks, and checks what depends on the model or on other options.
 * Throws an InvalidOptionError, or a TensorError for latents.
 */
export function readRequest(options: GenerateOptions, context: RequestContext): Request {
  const { traits, decoded } = context;
  const { steps = traits.defaults.steps, guidanceScale = traits.defaults.guidanceScale } = options;
  const size = checkedSize(options, context);
  const promptSettings = readPrompts(options, traits.composition.textEncoders.length);
  // Custom guidance may use it at any scale; guidance-distilled models never do.
  const usesNegative =
    options.guidance !== undefined || (traits.guidanceEmbeddingWidth === undefined && guidanceScale > 1);
  const secondSize = upscaledSize(options, size, traits);
  const memory: MemoryRequest = {
    sizes: secondSize === undefined ? [size] : [size, secondSize],
    count: options.count ?? 1,
    frames: 1,
    steps,
    batch: promptSettings.prompts.length + (usesNegative ? 1 : 0),
    output: options.output ?? 'images',
  };
  context.checkMemory(memory);
  const scheduler = checkedScheduler(options.scheduler, context);
  const given = givenImages(decoded);
  checkInitialImage(options, given, traits.imageInput);
  const range = readStepRange(options, given, steps, traits);
  const plan = planSteps(scheduler, steps, range);
  const upscale = readUpscale(options, secondSize, { steps, scheduler, traits });
  checkGivenLatents(options, context, size);
  const guidance = readGuidance(options, traits);
  return {
    options,
    promptSettings,
    usesNegative,
    passes: passSteps(plan, upscale),
    ...size,
    steps,
    scheduler,
    plan,
    guidance,
    guidanceScale,
    ...readSeeds(options),
    initial: {
      images: decoded.sizeTo?.({ ...size, fit: options.fit }),
      latents: decoded.latents,
      range,
    },
    upscale,
    noise: options.latents,
    output: options.output ?? 'images',
    signal: options.signal,
    memory,
  };
}

function checkedSize(options: GenerateOptions, { traits, decoded }: RequestContext) {
  const size = runSize(options, decoded, traits);
  checkSide('width', size.width, traits.sideMultiple);
  checkSide('height', size.height, traits.sideMultiple);
  return size;
}

function checkedScheduler(choice: GenerateOptions['scheduler'], { schedulerOf }: RequestContext): Scheduler {
  const scheduler = schedulerOf(choice);
  checkOptional('scheduler', scheduler, typeof scheduler?.plan === 'function', 'a name or an object with plan(steps)');
  return scheduler;
}

function givenImages({ image, latents, mask }: DecodedImages): GivenImages {
  return { hasImage: image !== undefined, hasLatents: latents !== undefined, hasMask: mask !== undefined };
}

function passSteps(plan: SamplingPlan, upscale: Upscale | undefined): PassSteps[] {
  const first = { steps: plan.stepCount };
  if (upscale === undefined) return [first];
  return [first, { steps: upscale.plan.stepCount, firstPassSteps: plan.stepCount }];
}

/** The size of the second pass, if there is one. Throws an InvalidOptionError. */
function upscaledSize(
  { upscale, mask }: GenerateOptions,
  first: Size,
  { sideMultiple }: ModelTraits,
): Size | undefined {
  if (upscale === undefined) return undefined;
  if (mask !== undefined) {
    throw new InvalidOptionError(
      'upscale',
      'cannot be combined with a mask: inpaint first, then upscale in a second run.',
    );
  }
  const { factor } = upscale;
  const givenSides = [upscale.width, upscale.height].filter((side) => side !== undefined).length;
  if (givenSides !== (factor === undefined ? 2 : 0)) {
    throw new InvalidOptionError('upscale', 'must have either a factor, or a width and a height.');
  }
  const { width = first.width * (factor ?? 1), height = first.height * (factor ?? 1) } = upscale;
  checkSide('upscale.width', width, sideMultiple);
  checkSide('upscale.height', height, sideMultiple);
  return { width, height };
}

interface UpscaleContext {
  readonly steps: number;
  readonly scheduler: Scheduler;
  readonly traits: ModelTraits;
}

function readUpscale(
  { upscale }: GenerateOptions,
  size: Size | undefined,
  context: UpscaleContext,
): Upscale | undefined {
  if (upscale === undefined || size === undefined) return undefined;
  const { strength = 0.7, steps = context.steps } = upscale;
  const kept = keptSteps('upscale.strength', strength, steps, context.traits.stepsFor);
  const plan = lastSteps(context.scheduler.plan(steps), steps, kept);
  return { ...size, strength, steps, plan };
}

function checkGivenLatents(
  options: GenerateOptions,
  { traits, decoded }: RequestContext,
  { width, height }: Size,
): void {
  const { count = 1, latents } = options;
  const shape = [traits.latentChannels, height / traits.scaleFactor, width / traits.scaleFactor];
  if (latents !== undefined) checkLatents('latents', latents, count, shape);
  if (decoded.latents !== undefined) checkLatents('image', decoded.latents, count, shape);
}

function checkLatents(option: string, latents: Tensor<'float32'>, count: number, shape: readonly number[]): void {
  const { type, dims = [], data }: Partial<Tensor<'float32'>> = latents ?? {};
  const isShape = Array.isArray(dims) && dims.length === 1 + shape.length;
  const fits = isShape && (dims[0] === 1 || dims[0] === count) && shape.every((size, i) => dims[i + 1] === size);
  if (type !== 'float32' || !fits || !(data instanceof Float32Array) || data.length !== sizeOf(dims)) {
    throw new TensorError(
      'bad-tensor',
      `${option} must be float32 [${count === 1 ? 1 : `1 or ${count}`}, ${shape.join(', ')}] for this size, not ${typeof type === 'string' ? type : show(type)} ${show(dims)} with ${show(data?.length)} values.`,
    );
  }
  expectFinite(option, latents.data);
}
