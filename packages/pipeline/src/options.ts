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
import type { Guidance } from '@sd/guidance';
import type { PromptSyntax } from '@sd/tokenizer/prompt';
import type { AdapterOptions } from './attach/run-adapters.js';
import { checkNames, checkOptional, checkSide, checkSignal, checkText, checkWhole, describe } from './checks.js';
import type { StepEvent } from './events.js';
import { type GuidanceOptions, readGuidance } from './guidance.js';
import type { MicroConditioningPair } from './micro-conditioning.js';
import { readPrompts, type WeightedPrompt } from './prompts.js';
import { seedsFrom } from './seeds.js';
import type { StageFacts } from './stage-facts.js';
import { planOfRun } from './start/cut.js';
import { readStart, type StartOptions, type StartRequest, startOptions } from './start/options.js';
import { type ReadPictures, runSize } from './start/pictures.js';

/** Random number generators by name: torch's on the CPU, as diffusers draws; NVIDIA's Philox, as A1111 does; NumPy's. */
export const randomSources = { 'torch-cpu': torchCpu, 'nv-philox': nvPhilox, numpy: numpyLegacy } as const;

export interface GenerateOptions extends GuidanceOptions, StartOptions, AdapterOptions, MicroConditioningPair {
  /** What to draw; or several prompts, which are composed (arXiv 2206.01714). */
  readonly prompt: string | readonly WeightedPrompt[];
  /**
   * Whose rules the prompts are written by. `plain`, the default, has none: brackets are text, and what does not fit the text
   * encoder's window is left out, as in diffusers. The others read weights, and prompts of any length: `a1111`'s
   * `(word:1.3)`, `[from:to:when]`, `AND`, `BREAK`, `<lora:name:0.7>`; `comfyui`'s; `compel`'s `word++`.
   */
  readonly syntax?: PromptSyntax;
  /** What to keep away from; empty by default. */
  readonly negativePrompt?: string;
  /** What the second text encoder of SDXL reads, in place of `prompt`. */
  readonly prompt2?: string;
  /** What the second text encoder of SDXL reads, in place of `negativePrompt`. */
  readonly negativePrompt2?: string;
  /** In pixels; a multiple of the VAE's factor. By default the picture's to start from, else what the model was trained on. */
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
  /** Which random numbers: `torch-cpu` by default. One generator a picture, which draws the first noise, then steps' noise. */
  readonly rng?: keyof typeof randomSources | RandomSourceFactory;
  /** The normal noise to start from, [count or 1, channels, height / 8, width / 8], in place of the generator's. */
  readonly latents?: Tensor<'float32'>;
  /** What to give: pictures, or the latents that they would be made of, for another model to go on with. Pictures by default. */
  readonly output?: 'images' | 'latents';
  /** How many of the text encoder's last layers to leave out: 0 by default. */
  readonly clipSkip?: number;
  /** Ends the run between two steps; it rejects with an AbortError at once. */
  readonly signal?: AbortSignal;
  /** Called after every step; what it throws ends the run. */
  readonly onStep?: (step: StepEvent) => void | Promise<void>;
}

/** Options, checked and filled in. */
export interface Request {
  readonly syntax: PromptSyntax;
  readonly prompts: readonly Required<WeightedPrompt>[];
  readonly prompt2: string | undefined;
  readonly negativePrompt: string | undefined;
  readonly negativePrompt2: string | undefined;
  /** May the guidance ask for the negative prompt? */
  readonly usesNegative: boolean;
  readonly width: number;
  readonly height: number;
  readonly steps: number;
  readonly guidance: Guidance;
  /** For models that are told it. */
  readonly guidanceScale: number;
  readonly micro: MicroConditioningPair;
  readonly seeds: readonly (number | bigint)[];
  /** The generator of each picture. */
  readonly random: readonly RandomSource[];
  readonly scheduler: Scheduler;
  /** Without the steps that are left out at its start and its end. */
  readonly plan: SamplingPlan;
  readonly start: StartRequest;
  readonly latents: Tensor<'float32'> | undefined;
  readonly clipSkip: number;
  readonly output: 'images' | 'latents';
  readonly signal: AbortSignal | undefined;
}

const known = [
  'prompt',
  'syntax',
  'negativePrompt',
  'prompt2',
  'negativePrompt2',
  'width',
  'height',
  'steps',
  'guidanceScale',
  'guidanceRescale',
  'guidance',
  'imageGuidanceScale',
  'microConditioning',
  'negativeMicroConditioning',
  'seed',
  'count',
  'scheduler',
  'rng',
  'latents',
  'clipSkip',
  'output',
  'signal',
  'onStep',
  'adapters',
  ...startOptions,
];

/**
 * Checks options, whose names were checked and whose pictures were read before, and fills in the rest. Throws an InvalidOptionError, or a TensorError for
 * `latents`.
 */
export function readOptions(
  options: GenerateOptions,
  read: ReadPictures,
  facts: StageFacts,
  schedulerNamed: (scheduler: Scheduler | string | undefined) => Scheduler,
): Request {
  const { prompt, prompt2, negativePrompt, negativePrompt2, count = 1, steps = 20, output = 'images' } = options;
  const { width, height } = runSize(options, read, facts);
  const prompts = readPrompts(prompt);
  for (const name of ['prompt2', 'negativePrompt', 'negativePrompt2'] as const) {
    const text = options[name];
    if (text !== undefined) checkText(name, text);
    if (text !== undefined && name !== 'negativePrompt' && !facts.twoEncoders) {
      throw new InvalidOptionError(name, 'is for a model with two text encoders; this one has one.');
    }
  }
  if (prompt2 !== undefined && prompts.length > 1) {
    throw new InvalidOptionError('prompt2', 'goes with one prompt, not with several.');
  }
  checkOptional('output', output, output === 'images' || output === 'latents', 'images or latents');
  checkSide('width', width, facts.factor);
  checkSide('height', height, facts.factor);
  checkWhole('steps', steps, 1);
  checkWhole('count', count, 1);
  checkWhole('clipSkip', options.clipSkip ?? 0, 0);
  checkSignal(options.signal);
  checkOptional('onStep', options.onStep, typeof options.onStep === 'function', 'a function');
  const guidance = readGuidance(options, facts);
  const guidanceScale = options.guidanceScale ?? 7.5;
  const shape = [facts.channels, height / facts.factor, width / facts.factor];
  if (options.latents !== undefined) checkLatents('latents', options.latents, count, shape);
  if (read.latents !== undefined) checkLatents('image', read.latents, count, shape);
  const scheduler = schedulerNamed(options.scheduler);
  checkOptional('scheduler', scheduler, typeof scheduler?.plan === 'function', 'a name or an object with plan(steps)');
  const random = randomSource(options.rng);
  if (options.blend !== undefined && prompts.length > 1) {
    throw new InvalidOptionError('blend', 'goes with one prompt, not with several.');
  }
  const start = readStart(options, { read, width, height, steps, count, scheduler, random, ...facts });
  const counted = seedsFrom('seed', options.seed, count);
  // Variations are of one seed.
  const seeds = start.variation === undefined ? counted : counted.fill(counted[0]!);
  const guides = facts.guidanceWidth === undefined && guidanceScale > 1;
  return {
    syntax: readSyntax(options.syntax),
    prompts,
    prompt2,
    negativePrompt,
    negativePrompt2,
    usesNegative: options.guidance !== undefined || guides,
    width,
    height,
    steps,
    guidance,
    guidanceScale,
    micro: {
      microConditioning: options.microConditioning,
      negativeMicroConditioning: options.negativeMicroConditioning,
    },
    seeds,
    random: seeds.map((seed) => random(seed)),
    scheduler,
    plan: planOfRun(scheduler, steps, start.part),
    start,
    latents: options.latents,
    clipSkip: options.clipSkip ?? 0,
    output,
    signal: options.signal,
  };
}

/** Throws an InvalidOptionError for options that are no object, and for a name that is unknown. */
export function refuseUnknown(options: GenerateOptions): void {
  checkNames('generate', options, known, 'an object with a prompt');
}

function checkLatents(option: string, latents: Tensor<'float32'>, count: number, shape: readonly number[]): void {
  const { type, dims = [], data }: Partial<Tensor<'float32'>> = latents ?? {};
  const rows = dims[0];
  const fits = (rows === 1 || rows === count) && String(dims) === String([rows, ...shape]);
  if (type !== 'float32' || !fits || data?.length !== sizeOf(dims)) {
    throw new TensorError(
      'bad-tensor',
      `${option} must be float32 [${count === 1 ? 1 : `1 or ${count}`}, ${shape.join(', ')}] for this size, not ${type} [${dims}] with ${data?.length} values.`,
    );
  }
  expectFinite(option, latents.data);
}

function randomSource(rng: GenerateOptions['rng'] = 'torch-cpu'): RandomSourceFactory {
  if (typeof rng === 'function') return rng;
  if (Object.hasOwn(randomSources, rng)) return randomSources[rng];
  throw new InvalidOptionError(
    'rng',
    `is ${describe(rng)}; there are ${Object.keys(randomSources).join(', ')}, or a function of your own.`,
  );
}

const syntaxes: readonly string[] = ['plain', 'a1111', 'comfyui', 'compel'] satisfies PromptSyntax[];

function readSyntax(syntax: PromptSyntax = 'plain'): PromptSyntax {
  if (syntaxes.includes(syntax)) return syntax;
  throw new InvalidOptionError('syntax', `is ${describe(syntax)}; there are ${syntaxes.join(', ')}.`);
}
