import { formatParameters, type SdImage } from '@sd/image';
import type { GenerateOptions, GenerateResult, Pipeline, StepEvent } from '@sd/pipeline';

export interface Drawn {
  readonly index: number;
  /** As digits. */
  readonly seed: string;
  readonly png: Uint8Array;
  readonly width: number;
  readonly height: number;
  /** In A1111's format. */
  readonly parameters: string;
}

/** What a worker does with what a run yields. An error that these throw ends the run. */
export interface DrawListener {
  onStep(step: StepEvent): void;
  onPreview(step: StepEvent, preview: SdImage): Promise<void>;
  onImage(image: Drawn): Promise<void>;
}

/** Draws the images of a request. Rejects as `Pipeline.stream` does. */
export async function draw(
  pipeline: Pipeline,
  request: GenerateOptions,
  previews: number,
  listener: DrawListener,
): Promise<GenerateResult> {
  const run = pipeline.stream(request);
  try {
    for (;;) {
      const { done, value } = await run.next();
      if (done) return value;
      if (value.type === 'step') {
        listener.onStep(value);
        if (hasPreview(value, previews)) await listener.onPreview(value, await value.preview());
      }
      if (value.type !== 'image') continue;
      const { index, image } = value;
      const { width, height, parameters } = image;
      await listener.onImage({
        index,
        seed: String(seedOf(request, index)),
        png: await image.toPng(),
        width,
        height,
        parameters: parameters === undefined ? '' : formatParameters(parameters),
      });
    }
  } finally {
    await run.return(undefined as never);
  }
}

/** Spreads previews evenly over the steps, without the last, which the image follows. */
function hasPreview({ step, steps }: StepEvent, previews: number): boolean {
  const before = (count: number) => Math.floor((count * (previews + 1)) / steps);
  return previews > 0 && step + 1 < steps && before(step + 1) > before(step);
}

/** Variations share a seed. */
function seedOf({ seed = 0, variationStrength }: GenerateOptions, index: number): number | bigint {
  if (variationStrength !== undefined) return seed;
  return typeof seed === 'bigint' ? seed + BigInt(index) : seed + index;
}
