import {
  convertPrediction,
  type Denoiser,
  expectFinite,
  expectTensor,
  type NoiseLevel,
  type Prediction,
  sizeOf,
  stack,
  type Tensor,
  type TextEmbedding,
  tensor,
  type Unet,
} from '@sd/core';
import type { Guidance } from './guidance.js';

export interface DenoiserOptions {
  readonly unet: Unet;
  /** What the U-Net's output means. */
  readonly prediction: Prediction;
  readonly guidance: Guidance;
  readonly positive: TextEmbedding;
  readonly negative: TextEmbedding;
  /** Shape of one sample: [channels, height / 8, width / 8]. */
  readonly shape: readonly [number, number, number];
  /** Channels that the model sees after the sample's own, unscaled, at every step: an inpainting model's mask and picture. */
  readonly beside?: Tensor<'float32'>;
  readonly signal?: AbortSignal;
}

/**
 * The U-Net as a denoiser: scales the sample to what the model was trained to see, asks the model, guides, and reads x0
 * from the output. Everything that depends on the kind of model is here, so that samplers need not know.
 * Rejects with a TensorError if the model's output is not finite.
 */
export function createDenoiser(options: DenoiserOptions): Denoiser {
  const { unet, prediction, guidance, positive, negative, shape, beside, signal } = options;
  return async (x, level) => {
    const seen = asTrained(x, level, prediction);
    const sample = joined(tensor('float32', shape, seen.x), beside);
    const predict = async (texts: readonly TextEmbedding[]) => {
      const output = await unet.predict(
        {
          sample: stack(texts.map(() => sample)),
          timestep: level.timestep,
          context: stack(texts.map((text) => text.hidden)),
        },
        { signal },
      );
      expectTensor('The U-Net’s output', output, 'float32', [texts.length, ...shape]);
      expectFinite(`The U-Net’s output at timestep ${level.timestep}`, output.data);
      const size = sizeOf(shape);
      return texts.map((_, i) => output.data.subarray(i * size, (i + 1) * size));
    };
    const raw = await guidance({ x, level, positive, negative, predict });
    return convertPrediction(raw, prediction, 'sample', seen.x, seen.level);
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
