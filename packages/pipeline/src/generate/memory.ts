import { MemoryLimitError } from '@sd/core';
import type { Size } from '../families/family.js';
import type { Stages } from '../stages.js';

/** The quantities that the memory of a run depends on. */
export interface MemoryRequest {
  /** The sizes of its passes. */
  readonly sizes: readonly Size[];
  /** Number of images or clips. */
  readonly count: number;
  /** Frames of a clip; 1 for an image. */
  readonly frames: number;
  readonly steps: number;
  /** Samples of each call of the noise predictor: the prompts, and the negative prompt. */
  readonly batch: number;
  readonly output: 'images' | 'latents';
}

type ModelStages = Pick<Stages, 'noisePredictor' | 'vae'>;

/** Bytes that a run is expected to take besides the weights. */
export interface MemoryEstimate {
  /** The images or latents of the result, with what is kept for each. */
  readonly results: number;
  /** The largest call of the noise predictor, and the sampler's latents. */
  readonly denoise: number;
  /** Decoding one image. */
  readonly decode: number;
  /** The peak. */
  readonly total: number;
}

/** Seed, event, parameters and the objects around them. */
const bytesPerImage = 2048;
/** A noise level and the prompts' schedule. */
const bytesPerStep = 256;
/** Bytes that ONNX Runtime takes for each byte of tensors, measured with the embedded model at 512 to 1536 pixels. */
const runtimeFactor = 1.3;
/** Latents that a sampler holds: the sample, the estimates of steps before, noise. */
const latentsHeld = 8;

/** Estimates the memory of a run. A custom stage counts only if it has `workingBytes()`. */
function estimateMemory(request: MemoryRequest, { noisePredictor, vae }: ModelStages): MemoryEstimate {
  const { sizes, count, frames, steps, batch, output } = request;
  const { latentChannels, scaleFactor } = vae;
  const latentsOf = ({ width, height }: Size) => [height / scaleFactor, width / scaleFactor] as const;
  const latentBytes = (size: Size) => 4 * latentChannels * frames * latentsOf(size)[0] * latentsOf(size)[1];
  const last = sizes[sizes.length - 1];
  const pixels = last.width * last.height;
  const resultBytes = output === 'latents' ? latentBytes(last) : 4 * pixels * frames;
  const results = count * (resultBytes + bytesPerImage) + steps * bytesPerStep * sizes.length * batch;
  const denoise = Math.max(
    ...sizes.map(
      (size) =>
        runtimeFactor * (noisePredictor.workingBytes?.(batch * frames, ...latentsOf(size)) ?? 0) +
        latentsHeld * latentBytes(size),
    ),
  );
  const decode =
    output === 'latents' ? 0 : runtimeFactor * (vae.workingBytes?.(1, ...latentsOf(last)) ?? 0) + 16 * pixels;
  return { results, denoise, decode, total: results + Math.max(denoise, decode) };
}

/** Throws a MemoryLimitError if the run is expected to take more than the limit. */
export function checkMemory(request: MemoryRequest, stages: ModelStages, limit: number): void {
  const estimate = estimateMemory(request, stages);
  if (estimate.total <= limit) return;
  const { width, height } = request.sizes[request.sizes.length - 1];
  const { count, frames, steps, batch } = request;
  const images =
    frames === 1
      ? `${count} of ${width} x ${height} pixels`
      : `${count} clips of ${frames} frames of ${width} x ${height} pixels`;
  throw new MemoryLimitError(
    `The run (images: ${images}, steps: ${steps}, prompts at once: ${batch}) would take about ${gigabytes(estimate.total)} of memory besides the model, more than the limit of ${gigabytes(limit)}: ${gigabytes(estimate.results)} for its results, ${gigabytes(estimate.denoise)} for the noise predictor, ${gigabytes(estimate.decode)} for the decoder. Ask for fewer or smaller images at a time, or raise loadPipeline's memoryLimit.`,
    { estimatedBytes: estimate.total, limitBytes: limit },
  );
}

function gigabytes(bytes: number): string {
  return `${Number((bytes / 1e9).toPrecision(3))} GB`;
}
