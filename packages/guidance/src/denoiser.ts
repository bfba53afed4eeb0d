import {
  convertPrediction,
  expectFinite,
  expectTensor,
  InvalidOptionError,
  type NoiseLevel,
  type NoisePredictor,
  type Preconditioning,
  type Prediction,
  show,
  sizeOf,
  stack,
  type Tensor,
  type TextEmbedding,
  tensor,
} from '@sd/core';
import { type Condition, conditionsOf, type Progress, singleCall } from './conditions.js';
import type { Guidance, GuidanceInput, WeightedText } from './guidance.js';
import { recordOutputs } from './outputs.js';

export interface DenoiserOptions {
  readonly noisePredictor: NoisePredictor;
  /** The meaning of the noise predictor's output. */
  readonly prediction: Prediction;
  /** For a model with EDM's preconditioning, whose prediction is `v`. */
  readonly preconditioning?: Preconditioning | undefined;
  readonly guidance: Guidance;
  /**
   * The positive prompt, or several with weights (arXiv 2206.01714). A function is called at every evaluation, so that
   * prompts can change during a run.
   */
  readonly positive: TextEmbedding | readonly WeightedText[] | ((progress: Progress) => readonly WeightedText[]);
  readonly negative: TextEmbedding | ((progress: Progress) => TextEmbedding);
  /** Further inputs of the model. If several give the same input, as ControlNets do, their sum is used. */
  readonly conditions?: readonly Condition[];
  /** Shape of one sample: [channels, height / 8, width / 8]. */
  readonly shape: readonly [number, number, number];
  /**
   * Channels [c, height / 8, width / 8] appended to the sample at every step, unscaled: the mask and the masked image of an
   * inpainting model, or the image that InstructPix2Pix edits.
   */
  readonly extraChannels?: Tensor<'float32'> | undefined;
  /** The most texts in one call of the model: by default all that guidance needs; 1 takes the least memory. */
  readonly batch?: number | undefined;
  readonly signal?: AbortSignal | undefined;
}

/** A denoiser that takes the progress of the pass; without it, each call counts as the only one. */
export type ProgressDenoiser = (x: Float32Array, level: NoiseLevel, progress?: Progress) => Promise<Float32Array>;

/**
 * Wraps a U-Net as a denoiser: scales the sample to the model's training distribution, calls the model, applies guidance,
 * and converts the raw output to x0, so that samplers need not know what kind of model it is. Create one denoiser per
 * image, since guidance may have state.
 *
 * `unconditional(x, level)` is x0 for the negative prompt. Right after a call of the denoiser with the same arguments it is
 * free; if guidance did not evaluate the negative prompt there, it is the guided x0. Otherwise it calls the model.
 *
 * Throws an InvalidOptionError for a `batch` below 1. Rejects with a TensorError if the model's output is not finite.
 */
export function createDenoiser(
  options: DenoiserOptions,
): ProgressDenoiser & { readonly unconditional: ProgressDenoiser } {
  const { batch = Infinity, prediction, preconditioning: { sigmaData } = unprepared } = options;
  if (batch !== Infinity && !(Number.isSafeInteger(batch) && batch >= 1)) {
    throw new InvalidOptionError('batch', `must be a whole number of at least 1, not ${show(batch)}.`);
  }
  const guide = options.guidance();
  const toX0 = (raw: Float32Array, { x, level }: GuidanceInput) => {
    const x0 = convertPrediction(raw, prediction, 'sample', x, level);
    return sigmaData === 1 ? x0 : x0.map((value) => sigmaData * value);
  };
  let last: { x: Float32Array; level: NoiseLevel; unconditional: Float32Array } | undefined;

  const denoise: ProgressDenoiser = async (x, level, progress = singleCall) => {
    const { input, outputs } = recordOutputs(guidanceInput(options, x, level, progress));
    const raw = await guide(input);
    last = { x, level, unconditional: outputs.get(input.negative) ?? raw };
    return toX0(raw, input);
  };
  const unconditional: ProgressDenoiser = async (x, level, progress = singleCall) => {
    const input = guidanceInput(options, x, level, progress);
    const isLast = last?.x === x && last.level === level;
    return toX0(isLast ? last!.unconditional : (await input.predict([input.negative]))[0], input);
  };
  return Object.assign(denoise, { unconditional });
}

/** The input of guidance for one evaluation of the denoiser. */
function guidanceInput(
  options: DenoiserOptions,
  x: Float32Array,
  level: NoiseLevel,
  progress: Progress,
): GuidanceInput {
  const { prediction, shape, extraChannels, batch = Infinity } = options;
  const scaled = scaleToTraining(x, level, options);
  const prompts = currentPrompts(options, progress);
  // A copy, so that outputs recorded by text are kept apart from the negative prompt's.
  const withoutImage = extraChannels && { ...prompts.negative };
  const sample = tensor('float32', shape, scaled.x);
  const evaluation: Evaluation = {
    sample,
    modelSample: withChannels(sample, extraChannels),
    modelSampleWithoutImage: withChannels(sample, extraChannels && tensor('float32', extraChannels.dims)),
    timestep: level.timestep,
    progress,
    negative: prompts.negative,
    withoutImage,
  };
  const predict = async (texts: readonly TextEmbedding[]) => {
    const outputs: Float32Array[] = [];
    while (outputs.length < texts.length) {
      outputs.push(...(await callModel(options, evaluation, texts.slice(outputs.length, outputs.length + batch))));
    }
    return outputs;
  };
  return { ...scaled, prediction, ...prompts, withoutImage, predict };
}

/** The model's inputs that all texts of one evaluation share. */
interface Evaluation {
  /** Without extra channels, [channels, h, w]. */
  readonly sample: Tensor<'float32'>;
  readonly modelSample: Tensor<'float32'>;
  /** For the text `withoutImage`: the extra channels are zeros. */
  readonly modelSampleWithoutImage: Tensor<'float32'>;
  readonly timestep: number;
  readonly progress: Progress;
  readonly negative: TextEmbedding;
  readonly withoutImage: TextEmbedding | undefined;
}

/** Calls the model once for a batch of texts; gives one raw output per text. */
async function callModel(
  { noisePredictor, preconditioning, conditions = [], extraChannels, shape, signal }: DenoiserOptions,
  { sample, timestep, progress, negative, withoutImage, ...samples }: Evaluation,
  texts: readonly TextEmbedding[],
): Promise<Float32Array[]> {
  const isWithoutImage = (text: TextEmbedding) => text === withoutImage;
  const input = {
    sample: stack(texts.map((text) => (isWithoutImage(text) ? samples.modelSampleWithoutImage : samples.modelSample))),
    timestep,
    context: stack(texts.map(({ hidden }) => hidden)),
  };
  const given = await conditionsOf(conditions, {
    ...input,
    sample: extraChannels === undefined ? input.sample : stack(texts.map(() => sample)),
    texts: texts.map((text) => (isWithoutImage(text) ? negative : text)),
    negative,
    progress,
  });
  const output = await noisePredictor.predict({ ...input, conditions: given }, { signal });
  expectTensor('The U-Net’s output', output, 'float32', [texts.length, ...shape]);
  expectFinite(`The U-Net’s output at timestep ${timestep}`, output.data);
  const size = sizeOf(shape);
  const rows = texts.map((_, i) => output.data.subarray(i * size, (i + 1) * size));
  return preconditioning?.negative === true ? rows.map((raw) => raw.map((value) => -value)) : rows;
}

function currentPrompts(
  { positive, negative }: DenoiserOptions,
  progress: Progress,
): {
  readonly positive: readonly WeightedText[];
  readonly negative: TextEmbedding;
} {
  const texts = typeof positive === 'function' ? positive(progress) : positive;
  return {
    positive: 'hidden' in texts ? [{ embedding: texts, weight: 1 }] : texts,
    negative: typeof negative === 'function' ? negative(progress) : negative,
  };
}

/** Concatenates channels: [a, h, w] and [b, h, w] to [a + b, h, w]. */
function withChannels(sample: Tensor<'float32'>, extra: Tensor<'float32'> | undefined): Tensor<'float32'> {
  if (extra === undefined) return sample;
  const [channels, height, width] = sample.dims;
  expectTensor('The U-Net’s extra channels', extra, 'float32', [-1, height, width]);
  const data = new Float32Array(sample.data.length + extra.data.length);
  data.set(sample.data);
  data.set(extra.data, sample.data.length);
  return tensor('float32', [channels + extra.dims[0], height, width], data);
}

const unprepared: Preconditioning = { sigmaData: 1, negative: false };

/**
 * Diffusion models are trained on samples with alpha² + sigma² = 1, those of EDM after division by the deviation of their
 * data; flow models on samples of the path itself.
 */
function scaleToTraining(
  x: Float32Array,
  level: NoiseLevel,
  { prediction, preconditioning: { sigmaData } = unprepared }: DenoiserOptions,
): { readonly x: Float32Array; readonly level: NoiseLevel } {
  const alpha = sigmaData * level.alpha;
  const norm = Math.hypot(alpha, level.sigma);
  const isUnit = prediction === 'flow' || Math.abs(norm - 1) < 1e-6;
  if (isUnit && sigmaData === 1) return { x, level };
  return {
    x: isUnit ? x : x.map((value) => value / norm),
    level: { alpha: alpha / norm, sigma: level.sigma / norm, timestep: level.timestep },
  };
}
