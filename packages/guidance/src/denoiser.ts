import {
  convertPrediction,
  type Denoiser,
  expectFinite,
  expectTensor,
  type GuidedDenoiser,
  InvalidOptionError,
  type NoiseLevel,
  type Prediction,
  sizeOf,
  stack,
  type Tensor,
  type TextEmbedding,
  tensor,
  type Unet,
} from '@sd/core';
import { type Condition, conditionsOf } from './conditions.js';
import type { Guidance, WeightedText } from './guidance.js';
import { remembering } from './outputs.js';

export interface DenoiserOptions {
  readonly unet: Unet;
  /** What the U-Net's output means. */
  readonly prediction: Prediction;
  readonly guidance: Guidance;
  /** What to draw: one prompt, or several with weights (arXiv 2206.01714). A function is asked at each call. */
  readonly positive: TextEmbedding | readonly WeightedText[] | (() => readonly WeightedText[]);
  readonly negative: TextEmbedding | (() => TextEmbedding);
  /** What the model hears beside text. Where several give the same input, as ControlNets do, the sum counts. */
  readonly conditions?: readonly Condition[];
  /** Shape of one sample: [channels, height / 8, width / 8]. */
  readonly shape: readonly [number, number, number];
  /** Channels that the model sees after the sample's own, unscaled, at every step: an inpainting model's mask and picture. */
  readonly extraChannels?: Tensor<'float32'>;
  /** How many texts run in one call of the model: all that guidance asks for together, if left out; 1 needs the least memory. */
  readonly batch?: number;
  readonly signal?: AbortSignal;
}

/**
 * The U-Net as a denoiser: scales the sample to what the model was trained to see, asks the model, guides, and reads x0
 * from the output. Everything that depends on the kind of model is here, so that samplers need not know. One denoiser is
 * for one picture: its guidance may remember the run.
 *
 * `unconditional(x, level)` is x0 of the negative prompt. Right after the denoiser was called with the same arguments it
 * costs nothing, and where guidance did without the negative prompt it is the guided x0; else it asks the model.
 *
 * Throws an InvalidOptionError for a `batch` below 1. Rejects with a TensorError if the model's output is not finite.
 */
export function createDenoiser(options: DenoiserOptions): GuidedDenoiser & { readonly unconditional: Denoiser } {
  const { unet, prediction, guidance, shape, conditions = [], beside, batch = Infinity, signal } = options;
  if (batch !== Infinity && !(Number.isSafeInteger(batch) && batch >= 1)) {
    throw new InvalidOptionError('batch', `must be a whole number from 1 up, not ${batch}.`);
  }
  const guide = guidance();
  const size = sizeOf(shape);
  let last: { x: Float32Array; level: NoiseLevel; unconditional: Float32Array } | undefined;

  /** What guidance is told, and how a raw output is read. */
  const at = (x: Float32Array, level: NoiseLevel) => {
    const { positive, negative } = textsNow(options);
    const seen = asTrained(x, level, prediction);
    const bare = tensor('float32', shape, seen.x);
    const shown = joined(bare, beside);
    // A text of its own, so that whoever keeps outputs by their texts tells it from the negative.
    const blind = beside && { ...negative };
    const unseen = beside && joined(bare, tensor('float32', beside.dims));
    const sampleFor = (text: TextEmbedding) => (text === blind && unseen !== undefined ? unseen : shown);
    const predictBatch = async (texts: readonly TextEmbedding[]) => {
      const input = {
        sample: stack(texts.map(sampleFor)),
        timestep: level.timestep,
        context: stack(texts.map((text) => text.hidden)),
      };
      const given = await conditionsOf(conditions, {
        ...input,
        ...(beside && { sample: stack(texts.map(() => bare)) }),
        texts: texts.map((text) => (text === blind ? negative : text)),
        negative,
      });
      const output = await unet.predict({ ...input, ...(given && { conditions: given }) }, { signal });
      expectTensor('The U-Net’s output', output, 'float32', [texts.length, ...shape]);
      expectFinite(`The U-Net’s output at timestep ${level.timestep}`, output.data);
      return texts.map((_, i) => output.data.subarray(i * size, (i + 1) * size));
    };
    const predict = async (texts: readonly TextEmbedding[]) => {
      const outputs: Float32Array[] = [];
      while (outputs.length < texts.length) {
        outputs.push(...(await predictBatch(texts.slice(outputs.length, outputs.length + batch))));
      }
      return outputs;
    };
    return {
      input: { ...seen, prediction, positive, negative, ...(blind && { blind }), predict },
      read: (raw: Float32Array) => convertPrediction(raw, prediction, 'sample', seen.x, seen.level),
    };
  };

  const denoise: Denoiser = async (x, level) => {
    const { input: given, read } = at(x, level);
    const { input, outputs } = remembering(given);
    const raw = await guide(input);
    last = { x, level, unconditional: outputs.get(given.negative) ?? raw };
    return read(raw);
  };
  const unconditional: Denoiser = async (x, level) => {
    const { input, read } = at(x, level);
    const kept = last?.x === x && last.level === level;
    return read(kept ? last!.unconditional : (await input.predict([input.negative]))[0]);
  };
  return Object.assign(denoise, { unconditional });
}

function textsNow({ positive, negative }: DenoiserOptions): {
  positive: readonly WeightedText[];
  negative: TextEmbedding;
} {
  const now = typeof positive === 'function' ? positive() : positive;
  return {
    positive: 'hidden' in now ? [{ embedding: now, weight: 1 }] : now,
    negative: typeof negative === 'function' ? negative() : negative,
  };
}

/** Channels [a, h, w] and [b, h, w] as [a + b, h, w]. */
function joined(sample: Tensor<'float32'>, beside: Tensor<'float32'> | undefined): Tensor<'float32'> {
  if (beside === undefined) return sample;
  const [channels, height, width] = sample.dims;
  expectTensor('What the U-Net sees beside the sample', beside, 'float32', [-1, height, width]);
  const data = new Float32Array(sample.data.length + beside.data.length);
  data.set(sample.data);
  data.set(beside.data, sample.data.length);
  return tensor('float32', [channels + beside.dims[0], height, width], data);
}

/** Diffusion models are trained on samples of unit variance, alpha² + sigma² = 1; flow models on the path itself. */
function asTrained(x: Float32Array, level: NoiseLevel, prediction: Prediction): { x: Float32Array; level: NoiseLevel } {
  const norm = Math.hypot(level.alpha, level.sigma);
  if (prediction === 'flow' || Math.abs(norm - 1) < 1e-6) return { x, level };
  return {
    x: x.map((value) => value / norm),
    level: { alpha: level.alpha / norm, sigma: level.sigma / norm, timestep: level.timestep },
  };
}
