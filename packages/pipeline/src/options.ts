import {
  expectFinite,
  InvalidOptionError,
  numpyLegacy,
  nvPhilox,
  type RandomSource,
  type RandomSourceFactory,
  type SamplingPlan,
  type Scheduler,
  sizeOf,
  type Tensor,
  TensorError,
  torchCpu,
} from '@sd/core';
import type { Guidance } from '@sd/unet';
import type { StepEvent } from './events.js';
import { type GuidanceOptions, readGuidance } from './guidance.js';
import { readPrompts, type WeightedPrompt } from './prompts.js';

/** Random number generators by name: torch's on the CPU, as diffusers draws; NVIDIA's Philox, as A1111 does; NumPy's. */
export const randomSources = { 'torch-cpu': torchCpu, 'nv-philox': nvPhilox, numpy: numpyLegacy } as const;

export interface GenerateOptions extends GuidanceOptions {
  /** What to draw; or several prompts, which are composed (arXiv 2206.01714). */
  readonly prompt: string | readonly WeightedPrompt[];
  /** What to keep away from; empty by default. */
  readonly negativePrompt?: string;
  /** In pixels; a multiple of the VAE's factor. By default the size that the model was trained on. */
  readonly width?: number;
  readonly height?: number;
  /** Steps of the scheduler: 20 by default. */
  readonly steps?: number;
  /** Seed of the first picture; the next ones count up from it. Random by default; the result tells it. */
  readonly seed?: number | bigint;
  /** How many pictures: 1 by default. */
  readonly count?: number;
  /** The scheduler in place of the model's own: an object, or a name that `loadPipeline` knows, such as `euler`. */
  readonly scheduler?: Scheduler | string;
  /** Which random numbers: `torch-cpu` by default. One generator a picture, which draws the first latents, then steps' noise. */
  readonly rng?: keyof typeof randomSources | RandomSourceFactory;
  /** The normal noise to start from, [count or 1, channels, height / 8, width / 8], in place of the generator's. */
  readonly latents?: Tensor<'float32'>;
  /** How many of the text encoder's last layers to leave out: 0 by default. */
  readonly clipSkip?: number;
  /** Ends the run between two steps; it rejects with an AbortError at once. */
  readonly signal?: AbortSignal;
  /** Called after every step; what it throws ends the run. */
  readonly onStep?: (step: StepEvent) => void | Promise<void>;
}

/** Options, checked and filled in. */
export interface Request {
  readonly prompts: readonly Required<WeightedPrompt>[];
  readonly negativePrompt: string;
  /** May the negative prompt have a part? */
  readonly usesNegative: boolean;
  readonly width: number;
  readonly height: number;
  readonly steps: number;
  readonly guidance: Guidance;
  readonly seeds: readonly (number | bigint)[];
  /** The generator of each picture. */
  readonly random: readonly RandomSource[];
  readonly scheduler: Scheduler;
  readonly plan: SamplingPlan;
  readonly latents: Tensor<'float32'> | undefined;
  readonly clipSkip: number;
  readonly signal: AbortSignal | undefined;
}

/** What the stages say of sizes. */
export interface StageSizes {
  readonly channels: number;
  /** Pixels a side for each latent. */
  readonly factor: number;
  /** The side, in latents, that the model was trained on. */
  readonly sampleSize: number;
}

const known = [
  'prompt',
  'negativePrompt',
  'width',
  'height',
  'steps',
  'guidanceScale',
  'guidanceRescale',
  'guidance',
  'seed',
  'count',
  'scheduler',
  'rng',
  'latents',
  'clipSkip',
  'signal',
  'onStep',
];

/** Names that later versions will take. */
const later = ['image', 'mask', 'strength', 'loras', 'controls'];

/** Checks options and fills in the rest. Throws an InvalidOptionError, or a TensorError for `latents`. */
export function readOptions(
  options: GenerateOptions,
  sizes: StageSizes,
  schedulerNamed: (scheduler: Scheduler | string | undefined) => Scheduler,
): Request {
  refuseUnknown(options);
  const { prompt, negativePrompt = '', count = 1, steps = 20 } = options;
  const trained = sizes.sampleSize * sizes.factor;
  const [width, height] = [options.width ?? trained, options.height ?? trained];
  const prompts = readPrompts(prompt);
  text('negativePrompt', negativePrompt);
  side('width', width, sizes.factor);
  side('height', height, sizes.factor);
  whole('steps', steps, 1);
  whole('count', count, 1);
  whole('clipSkip', options.clipSkip ?? 0, 0);
  optional('signal', options.signal, options.signal instanceof AbortSignal, 'an AbortSignal');
  optional('onStep', options.onStep, typeof options.onStep === 'function', 'a function');
  const guidance = readGuidance(options);
  const shape = [sizes.channels, height / sizes.factor, width / sizes.factor];
  if (options.latents !== undefined) checkLatents(options.latents, count, shape);
  const seeds = seedsFrom(options.seed, count);
  const scheduler = schedulerNamed(options.scheduler);
  optional('scheduler', scheduler, typeof scheduler?.plan === 'function', 'a name or an object with plan(steps)');
  const random = randomSource(options.rng);
  return {
    prompts,
    negativePrompt,
    usesNegative: typeof prompt !== 'string' || options.guidance !== undefined || (options.guidanceScale ?? 7.5) > 1,
    width,
    height,
    steps,
    guidance,
    seeds,
    random: seeds.map((seed) => random(seed)),
    scheduler,
    plan: scheduler.plan(steps),
    latents: options.latents,
    clipSkip: options.clipSkip ?? 0,
    signal: options.signal,
  };
}

function refuseUnknown(options: GenerateOptions): void {
  if (typeof options !== 'object' || options === null) {
    throw new InvalidOptionError('options', `must be an object with a prompt, not ${describe(options)}.`);
  }
  for (const [name, value] of Object.entries(options)) {
    if (known.includes(name) || value === undefined) continue;
    if (later.includes(name)) throw new InvalidOptionError(name, 'is not supported by this version yet.');
    throw new InvalidOptionError(name, `is no option of generate(). It has ${known.join(', ')}.`);
  }
}

function text(option: string, value: unknown): void {
  if (typeof value !== 'string') throw new InvalidOptionError(option, `must be a string, not ${describe(value)}.`);
}

function optional(option: string, value: unknown, fits: boolean, what: string): void {
  if (value !== undefined && !fits) throw new InvalidOptionError(option, `must be ${what}, not ${describe(value)}.`);
}

function whole(option: string, value: unknown, least: number): void {
  if (!Number.isSafeInteger(value) || (value as number) < least) {
    throw new InvalidOptionError(option, `must be a whole number from ${least} up, not ${describe(value)}.`);
  }
}

function side(option: string, value: unknown, factor: number): void {
  whole(option, value, factor);
  const pixels = value as number;
  if (pixels % factor !== 0) {
    const below = pixels - (pixels % factor);
    throw new InvalidOptionError(
      option,
      `must be a multiple of ${factor}, not ${pixels}: ${below} or ${below + factor} would do.`,
    );
  }
}

function checkLatents(latents: Tensor<'float32'>, count: number, shape: readonly number[]): void {
  const { type, dims = [], data }: Partial<Tensor<'float32'>> = latents ?? {};
  const rows = dims[0];
  const fits = (rows === 1 || rows === count) && String(dims) === String([rows, ...shape]);
  if (type !== 'float32' || !fits || data?.length !== sizeOf(dims)) {
    throw new TensorError(
      'bad-tensor',
      `latents must be float32 [${count === 1 ? 1 : `1 or ${count}`}, ${shape.join(', ')}] for this size, not ${type} [${dims}] with ${data?.length} values.`,
    );
  }
  expectFinite('latents', latents.data);
}

function seedsFrom(seed: number | bigint | undefined, count: number): (number | bigint)[] {
  const first = seed ?? crypto.getRandomValues(new Uint32Array(1))[0];
  if (typeof first === 'bigint') return Array.from({ length: count }, (_, i) => first + BigInt(i));
  if (!Number.isSafeInteger(first)) {
    throw new InvalidOptionError('seed', `must be a whole number, or a bigint beyond 2^53, not ${describe(first)}.`);
  }
  return Array.from({ length: count }, (_, i) => first + i);
}

function randomSource(rng: GenerateOptions['rng'] = 'torch-cpu'): RandomSourceFactory {
  if (typeof rng === 'function') return rng;
  if (Object.hasOwn(randomSources, rng)) return randomSources[rng];
  throw new InvalidOptionError(
    'rng',
    `is ${describe(rng)}; there are ${Object.keys(randomSources).join(', ')}, or a function of your own.`,
  );
}

function describe(value: unknown): string {
  return typeof value === 'string' ? JSON.stringify(value) : String(value);
}
