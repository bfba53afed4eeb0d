import type { ImageFormat } from '@sd/image';
import type { GenerateOptions } from '@sd/pipeline';

/** The values of `sd draw` by the names of its options. Those of `loadPipeline()` are there too. */
export interface DrawValues
  extends Omit<Partial<GenerateOptions>, 'image' | 'mask' | 'output' | 'prompt' | 'upscale' | 'latents'> {
  readonly prompt?: string;
  readonly prompts?: string;
  readonly from?: string;
  readonly model?: string;
  readonly image?: string;
  readonly mask?: string;
  readonly upscale?: number;
  readonly lora: readonly string[];
  readonly control?: string;
  readonly controlImage?: string;
  readonly controlStrength?: number;
  readonly output?: string;
  readonly format?: ImageFormat;
  readonly quality?: number;
  readonly json?: boolean;
  readonly preview?: boolean;
  readonly show: string;
}
