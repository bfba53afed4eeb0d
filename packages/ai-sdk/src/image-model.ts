import type { ImageModelV4, ImageModelV4CallOptions, ImageModelV4Result } from '@ai-sdk/provider';
import { untilAborted } from '@sd/core';
import type { GenerateResult, Pipeline } from '@sd/pipeline';
import { generateOptions } from './generate-options.js';
import { unsupported } from './warnings.js';

/** An image model over the pipeline that `pipelineOf` loads for its id. */
export function imageModel(modelId: string, pipelineOf: (modelId: string) => Promise<Pipeline>): ImageModelV4 {
  return {
    specificationVersion: 'v4',
    provider: 'sd',
    modelId,
    // All images are one call. Further calls would have the same seed, and draw the same images again.
    maxImagesPerCall: Number.MAX_SAFE_INTEGER,
    supportsFileInputs: true,
    supportsMaskInputs: true,

    async doGenerate(call: ImageModelV4CallOptions): Promise<ImageModelV4Result> {
      const timestamp = new Date();
      const options = await generateOptions(call);
      const pipeline = await untilAborted(pipelineOf(modelId), call.abortSignal);
      const result = await pipeline.generate(options);
      return {
        images: await Promise.all(result.images.map((image) => image.toPng())),
        warnings: [
          ...unsupported(call),
          ...result.warnings.map(({ message }) => ({ type: 'other' as const, message })),
        ],
        providerMetadata: { sd: { images: metadata(result) } },
        response: { timestamp, modelId, headers: undefined },
      };
    },
  };
}

/** What is known of each image. The frames of a clip share its seed. */
function metadata({ images, seeds, timings }: GenerateResult) {
  const frames = images.length / seeds.length;
  return images.map(({ width, height }, index) => ({
    seed: plain(seeds[Math.floor(index / frames)]),
    width,
    height,
    // Of the whole call, in milliseconds.
    timings: { ...timings },
  }));
}

/** JSON has no bigint. */
const plain = (seed: number | bigint) => (typeof seed === 'bigint' ? String(seed) : seed);
