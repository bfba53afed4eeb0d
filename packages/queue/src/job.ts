import { createHash, randomInt } from 'node:crypto';
import { InvalidOptionError } from '@sd/core';
import { checkOptional, checkOptions, checkText, type OptionRow, oneOf, whole } from '@sd/core/options';
import { type GenerateOptions, generateTables, type PromptSyntaxName, type UpscaleOptions } from '@sd/pipeline';

/** The version of the format below. A worker draws jobs of the versions that it knows, and leaves others to newer workers. */
export const jobVersion = 1;

/** The options of `generate()` that are data. Those left out have the model's defaults. */
export interface JobRequest
  extends Pick<
    GenerateOptions,
    | 'negativePrompt'
    | 'clipSkip'
    | 'steps'
    | 'seed'
    | 'count'
    | 'variationSeed'
    | 'variationStrength'
    | 'guidanceScale'
    | 'guidanceRescale'
    | 'width'
    | 'height'
    | 'strength'
    | 'fit'
  > {
  readonly prompt: string;
  readonly syntax?: PromptSyntaxName | undefined;
  /** A short name such as `dpmpp-2m-karras`, or a class of diffusers. */
  readonly scheduler?: string | undefined;
  readonly rng?: 'torch-cpu' | 'nv-philox' | 'numpy' | undefined;
  readonly upscale?: UpscaleOptions | undefined;
  /** The bytes of an image file to start from; they travel through the store. */
  readonly image?: Uint8Array | undefined;
  /** The bytes of an image file that is white where `image` is repainted. */
  readonly mask?: Uint8Array | undefined;
  /** Strengths of LoRAs, by the names that workers have for them. */
  readonly loras?: Readonly<Record<string, number>> | undefined;
}

/** What to draw. */
export interface DrawJob {
  /** A model's name on the workers; by default the first of `DrawQueue.models()`, or `tiny`, the embedded model. */
  readonly model?: string | undefined;
  readonly request: JobRequest;
  /** How many previews of each unfinished image to send, spread evenly over its steps; 0 by default. */
  readonly previews?: number | undefined;
  /** Whom it is for: users take turns. */
  readonly user?: string | undefined;
}

/** A job as it is in Redis: plain JSON, complete, so that every worker draws the same images from it. */
export interface StoredJob {
  readonly version: number;
  readonly model: string;
  readonly loras: readonly string[];
  readonly user: string;
  readonly previews: number;
  /** Options of `generate()`; seeds beyond 2^53 are strings. */
  readonly request: Readonly<Record<string, unknown>>;
  /** Where the bytes of `image` and `mask` are in the store. */
  readonly files: Readonly<Record<string, string>>;
}

/** What a worker must have to draw a job, and what it loads for it: jobs that need the same wait in the same lane. */
export interface Needs {
  readonly version: number;
  readonly model: string;
  readonly loras: readonly string[];
}

/** The name of a lane: a hash of what its jobs need. */
export function laneOf({ version, model, loras }: Needs): string {
  return createHash('sha256')
    .update(JSON.stringify([version, model, loras]))
    .digest('hex')
    .slice(0, 12);
}

/** Images that travel through the store. */
export const fileOptions = ['image', 'mask'] as const;

const bytes = (option: string, value: unknown) =>
  checkOptional(option, value, value instanceof Uint8Array, 'the bytes of an image file');

const requestTable: Readonly<Record<string, OptionRow>> = (() => {
  const { prompts, sampling, guidance, output, 'initial image': initial } = generateTables;
  const { prompt, negativePrompt, clipSkip, syntax } = prompts;
  const { steps, seed, count, variationSeed, variationStrength } = sampling;
  const { guidanceScale, guidanceRescale } = guidance;
  const { width, height, upscale } = output;
  const { strength, fit } = initial;
  return {
    ...{ prompt, negativePrompt, clipSkip, steps, seed, count, variationSeed, variationStrength },
    ...{ guidanceScale, guidanceRescale, upscale, strength, fit },
    width: { ...width, check: whole(1).check },
    height: { ...height, check: whole(1).check },
    syntax: { ...syntax, check: checkName(syntax.check) },
    scheduler: { ...sampling.scheduler, check: checkText },
    rng: { ...sampling.rng, check: oneOf('torch-cpu', 'nv-philox', 'numpy').check },
    image: { ...initial.image, check: bytes },
    mask: { ...initial.mask, check: bytes },
    loras: { type: 'object', text: 'Strengths of LoRAs, by name.', check: checkStrengths },
  };
})();

const jobTable: Readonly<Record<string, OptionRow>> = {
  model: { type: 'string', text: "A model's name on the workers.", check: checkText },
  request: {
    type: 'object',
    text: 'Options of `generate()`.',
    check: (_, value) => checkOptions(value, requestTable, { of: "a job's request" }),
  },
  previews: { ...whole(0), text: 'How many previews of each image to send.' },
  user: { type: 'string', text: 'Whom it is for.', check: checkText },
};

/** Objects that implement a syntax are no data. */
function checkName(check: OptionRow['check']): OptionRow['check'] {
  return (option, value) => {
    checkText(option, value);
    check?.(option, value);
  };
}

function checkStrengths(option: string, value: unknown): void {
  const isObject = typeof value === 'object' && value !== null;
  checkOptional(option, value, isObject && Object.values(value).every(Number.isFinite), 'numbers by name');
}

/** Throws an InvalidOptionError for whatever in a job is wrong for every model. */
export function checkJob(job: DrawJob): void {
  checkOptions(job, jobTable, { of: 'a job' });
  if (job.request === undefined) throw new InvalidOptionError('request', 'is required.');
  checkText('prompt', job.request.prompt);
}

/** Seeds are chosen when a job is queued, so that a second run draws the same. */
export function withSeeds(request: JobRequest): JobRequest {
  const { seed, variationSeed, variationStrength } = request;
  const random = () => randomInt(2 ** 32);
  return {
    ...request,
    seed: seed ?? random(),
    ...(variationStrength !== undefined && { variationSeed: variationSeed ?? random() }),
  };
}

const seedOptions = ['seed', 'variationSeed'] as const;

/** The request without its images, and with seeds that JSON can hold. */
export function packRequest({ image: _, mask: __, ...request }: JobRequest): Record<string, unknown> {
  return { ...request, ...mapSeeds(request, (seed) => (typeof seed === 'bigint' ? String(seed) : seed)) };
}

/** The options of `generate()` from a packed request. */
export function unpackRequest({ loras, ...request }: StoredJob['request']): GenerateOptions {
  const options = { ...request, ...mapSeeds(request, (seed) => (typeof seed === 'string' ? BigInt(seed) : seed)) };
  return (loras === undefined ? options : { ...options, adapters: loras }) as unknown as GenerateOptions;
}

function mapSeeds(request: Readonly<Record<string, unknown>>, change: (seed: unknown) => unknown) {
  return Object.fromEntries(
    seedOptions.filter((name) => request[name] !== undefined).map((name) => [name, change(request[name])]),
  );
}
